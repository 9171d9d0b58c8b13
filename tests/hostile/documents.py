"""PDFs built to run, fetch, carry, unpack or loop without end."""

from __future__ import annotations

import functools
import io
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, String

from tests.hostile import good
from tests.hostile.pictures import zeros

Built = tuple[str, bytes, set[str]]
_BOMB = {"unpacks-too-large", "damaged", "breaks-decoder"}


def hostile() -> Iterator[Built]:
    yield from _active()
    yield from _carrying()
    yield from _encrypted()
    yield from _bombs()
    yield from _broken()
    yield from _framed()


def changed(change: Callable[[pikepdf.Pdf], Any], *, packed: bool = True, **saving: Any) -> bytes:
    """The good PDF with a change."""
    with pikepdf.open(io.BytesIO(good.files()["text.pdf"])) as pdf:
        change(pdf)
        out = io.BytesIO()
        mode = pikepdf.ObjectStreamMode.generate if packed else pikepdf.ObjectStreamMode.disable
        if "encryption" not in saving:
            saving["static_id"] = True
        pdf.save(out, object_stream_mode=mode, **saving)
        return out.getvalue()


def _actions() -> dict[str, Dictionary]:
    return {
        "javascript": Dictionary(S=Name.JavaScript, JS=String("app.alert(1)")),
        "launch": Dictionary(S=Name.Launch, F=String("/bin/sh")),
        "submit": Dictionary(S=Name.SubmitForm, F=String("http://example.invalid/")),
        "import": Dictionary(S=Name.ImportData, F=String("data.fdf")),
        "other-file": Dictionary(S=Name.GoToR, F=String(r"\\server\share\x.pdf"), D=Array([0, Name.Fit])),
        "uri-javascript": Dictionary(S=Name.URI, URI=String("javascript:alert(1)")),
        "uri-file": Dictionary(S=Name.URI, URI=String("file:///etc/passwd")),
    }


def _places() -> dict[str, Callable[[pikepdf.Pdf, Dictionary], Any]]:
    def annotation(pdf: pikepdf.Pdf, action: Dictionary) -> None:
        link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 10, 10]), A=action)
        pdf.pages[0].Annots = Array([*[Dictionary(Type=Name.Annot, Subtype=Name.Text) for _ in range(300)], link])

    def deep(pdf: pikepdf.Pdf, action: Dictionary) -> None:
        for _ in range(60):
            action = Dictionary(Deeper=Array([action]))
        pdf.Root.PieceInfo = action

    def opening(pdf: pikepdf.Pdf, action: Dictionary) -> None:
        pdf.Root.OpenAction = action

    def leaving(pdf: pikepdf.Pdf, action: Dictionary) -> None:
        pdf.pages[0].AA = Dictionary(C=pdf.make_indirect(action))

    def after_another(pdf: pikepdf.Pdf, action: Dictionary) -> None:
        pdf.Root.OpenAction = Dictionary(S=Name.GoTo, D=Array([pdf.pages[0].obj, Name.Fit]), Next=Array([action]))

    def in_stream(pdf: pikepdf.Pdf, action: Dictionary) -> None:
        pdf.Root.Something = pdf.make_stream(b"x", Held=action)

    return {
        "on-opening": opening,
        "on-leaving": leaving,
        "in-annotation": annotation,
        "deep-inside": deep,
        "after-another": after_another,
        "inside-stream": in_stream,
    }


def _put(put: Callable[[pikepdf.Pdf, Dictionary], Any], what: str, pdf: pikepdf.Pdf) -> None:
    put(pdf, _actions()[what])


def _active() -> Iterator[Built]:
    for what in _actions():
        for where, put in _places().items():
            data = changed(functools.partial(_put, put, what), packed=where != "on-leaving")
            yield f"pdf-{what}-{where}.pdf", data, {"active-content"}
    named = changed(lambda pdf: _places()["on-opening"](pdf, _actions()["javascript"]), packed=False)
    for written in (b"/J#61vaScript", b"/#4a#61#76aScrip#74"):
        length = len(b"/JavaScript")
        bare = named.replace(b"/JavaScript", written)
        yield f"pdf-name-written-in-{len(written)}.pdf", _relocated(bare, len(written) - length), {"*"}

    def tree(pdf: pikepdf.Pdf) -> None:
        script = pdf.make_indirect(_actions()["javascript"])
        pdf.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array([String("a"), script])))

    yield "pdf-javascript-in-names.pdf", changed(tree), {"active-content"}

    def script_stream(pdf: pikepdf.Pdf) -> None:
        pdf.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=pdf.make_stream(b"app.alert(1)"))

    yield "pdf-javascript-in-stream.pdf", changed(script_stream), {"active-content"}

    def form(pdf: pikepdf.Pdf) -> None:
        pdf.Root.AcroForm = Dictionary(Fields=Array([]), XFA=pdf.make_stream(b"<xdp/>"))

    yield "pdf-xfa.pdf", changed(form), {"active-content"}
    for kind in ("RichMedia", "Movie", "Sound", "Screen", "3D", "FileAttachment"):

        def carrier(pdf: pikepdf.Pdf, kind: str = kind) -> None:
            pdf.pages[0].Annots = Array(
                [Dictionary(Type=Name.Annot, Subtype=Name("/" + kind), Rect=Array([0, 0, 9, 9]))]
            )

        yield f"pdf-{kind.lower()}.pdf", changed(carrier), {"active-content"}

    def outside(pdf: pikepdf.Pdf) -> None:
        pdf.Root.Something = pdf.make_stream(b"", F=String("/etc/passwd"))

    yield "pdf-stream-from-another-file.pdf", changed(outside), {"active-content"}


def _relocated(data: bytes, shift: int) -> bytes:
    """The table of places rewritten after bytes were put in, by letting qpdf recover the file."""
    del shift
    with pikepdf.open(io.BytesIO(data), suppress_warnings=True) as pdf:
        out = io.BytesIO()
        pdf.save(out, static_id=True, object_stream_mode=pikepdf.ObjectStreamMode.disable)
        return out.getvalue()


def _carrying() -> Iterator[Built]:
    def attached(pdf: pikepdf.Pdf) -> None:
        pdf.attachments["virus.exe"] = b"MZ"

    def related(pdf: pikepdf.Pdf) -> None:
        inner = pdf.make_stream(b"MZ", Type=Name.EmbeddedFile)
        pdf.Root.AF = Array(
            [pdf.make_indirect(Dictionary(Type=Name.Filespec, F=String("a"), EF=Dictionary(F=inner)))]
        )

    def hidden(pdf: pikepdf.Pdf) -> None:
        pdf.Root.Whatever = pdf.make_stream(b"MZ", Type=Name.EmbeddedFile)

    for name, change in (("attached", attached), ("related", related), ("hidden", hidden)):
        yield f"pdf-file-{name}.pdf", changed(change), {"embedded-files"}


def _encrypted() -> Iterator[Built]:
    for revision in (2, 3, 4, 6):
        for who, passwords in (("user", ("u", "o")), ("owner", ("", "o"))):
            lock = pikepdf.Encryption(
                user=passwords[0], owner=passwords[1], R=revision, aes=revision >= 4, metadata=revision >= 4
            )
            yield f"pdf-encrypted-{revision}-{who}.pdf", changed(lambda _: None, encryption=lock), {"encrypted"}


def _bombs() -> Iterator[Built]:
    def content(*, twice: bool = False, filters: list[Name] | None = None) -> Callable[[pikepdf.Pdf], None]:
        def change(pdf: pikepdf.Pdf) -> None:
            packed = zeros(300 << 20)
            names = filters or [Name.FlateDecode]
            if twice:
                packed, names = zlib.compress(packed, 9), [Name.FlateDecode, Name.FlateDecode]
            stream = pdf.make_stream(b"")
            stream.write(packed, filter=Array(names) if len(names) > 1 else names[0])
            pdf.pages[0].Contents = stream

        return change

    keep = {"packed": True, "stream_decode_level": pikepdf.StreamDecodeLevel.none, "compress_streams": False}
    yield "pdf-bomb.pdf", changed(content(), **keep), _BOMB
    yield "pdf-bomb-in-bomb.pdf", changed(content(twice=True), **keep), _BOMB
    many = [Name.FlateDecode, *[Name.ASCIIHexDecode] * 12]
    yield "pdf-thirteen-filters.pdf", changed(content(filters=many), **keep), _BOMB
    yield "pdf-bomb-in-object-stream.pdf", _packed_bomb(), _BOMB
    yield "pdf-picture-of-gigapixels.pdf", changed(_picture(60_000, 60_000, zeros(1000)), **keep), {
        "too-many-pixels", "absurd-dimensions"
    }  # fmt: skip
    yield "pdf-picture-of-negative-size.pdf", changed(_picture(-5, -5, zeros(1000)), **keep), {"absurd-dimensions"}
    yield "pdf-picture-bomb.pdf", changed(_picture(800, 1100, zeros(300 << 20)), **keep), {"damaged"}
    yield "pdf-picture-too-short.pdf", changed(_picture(800, 1100, zeros(400 * 1100)), **keep), {"damaged"}
    yield "pdf-laughing-forms.pdf", changed(_laughing), {"takes-too-long", "breaks-decoder", "all-blank"}
    yield "pdf-form-in-itself.pdf", changed(_form_in_itself), {"*", "accepted"}
    yield "pdf-page-of-a-kilometre.pdf", changed(lambda pdf: _media(pdf, 3e6)), {"damaged"}
    yield "pdf-page-of-nothing.pdf", changed(lambda pdf: _media(pdf, 0)), {"damaged"}


def _media(pdf: pikepdf.Pdf, side: float) -> None:
    pdf.pages[0].MediaBox = Array([0, 0, side, side])


def _picture(width: int, height: int, packed: bytes) -> Callable[[pikepdf.Pdf], None]:
    def change(pdf: pikepdf.Pdf) -> None:
        image = pdf.make_stream(b"")
        image.write(packed, filter=Name.FlateDecode)
        image.Type, image.Subtype, image.Width, image.Height = Name.XObject, Name.Image, width, height
        image.ColorSpace, image.BitsPerComponent = Name.DeviceGray, 8
        pdf.pages[0].Resources = Dictionary(XObject=Dictionary(I=image))
        pdf.pages[0].Contents = pdf.make_stream(b"q 595 0 0 842 0 0 cm /I Do Q")

    return change


def _laughing(pdf: pikepdf.Pdf) -> None:
    """Ten forms, each showing the next one thirty times: six hundred billion lines to draw."""
    inner = None
    for _ in range(9):
        content = b"0 0 m 500 800 l S " if inner is None else b"/F Do " * 30
        form = pdf.make_stream(content, Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 595, 842]))
        if inner is not None:
            form.Resources = Dictionary(XObject=Dictionary(F=inner))
        inner = form
    pdf.pages[0].Resources = Dictionary(XObject=Dictionary(F=inner))
    pdf.pages[0].Contents = pdf.make_stream(b"/F Do")


def _form_in_itself(pdf: pikepdf.Pdf) -> None:
    form = pdf.make_stream(b"/F Do", Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 595, 842]))
    form.Resources = Dictionary(XObject=Dictionary(F=form))
    pdf.pages[0].Resources.XObject = Dictionary(F=form)
    pdf.pages[0].contents_add(pdf.make_stream(b" /F Do"))


def _packed_bomb() -> bytes:
    """The catalogue itself lies in an object stream that unpacks into a gigabyte."""
    inner = b"1 0 2 60 << /Type /Catalog /Pages 2 0 R >>".ljust(71) + b"<< /Type /Pages /Kids [] /Count 0 >>"
    packed = zlib.compressobj(9)
    body = packed.compress(inner) + b"".join(packed.compress(b" " * (1 << 20)) for _ in range(1_000)) + packed.flush()
    out = bytearray(b"%PDF-1.7\n")
    at = len(out)
    out += b"3 0 obj\n<< /Type /ObjStm /N 2 /First 10 /Filter /FlateDecode /Length %d >>\nstream\n" % len(body)
    out += body + b"\nendstream\nendobj\n"
    table = len(out)
    rows = b"\0\0\0\0\0\2\0\0\3\0\2\0\0\3\1\1" + at.to_bytes(3) + b"\0" + b"\1" + table.to_bytes(3) + b"\0"
    out += b"4 0 obj\n<< /Type /XRef /Size 5 /W [1 3 1] /Root 1 0 R /Length %d >>\nstream\n" % len(rows)
    return bytes(out + rows + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % table)


def plain_pdf(objects: list[bytes], trailer: bytes = b"/Root 1 0 R", *, shift: int = 0, before: bytes = b"") -> bytes:
    """A PDF written by hand, object 1 first, with a table of places."""
    out, places = bytearray(b"%PDF-1.4\n" + before), []
    for number, text in enumerate(objects, 1):
        places.append(len(out) + shift)
        out += b"%d 0 obj\n" % number + text + b"\nendobj\n"
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    return bytes(out + b"trailer\n<< /Size %d %s >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, table))


def _broken() -> Iterator[Built]:
    catalogue, pages = b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << >> >>"
    drawn = b"0 0 m 500 800 l S " * 9
    content = b"<< /Length %d >>\nstream\n" % len(drawn) + drawn + b"\nendstream"
    whole = [catalogue, pages, page, content]

    def with_object(number: int, text: bytes) -> bytes:
        return plain_pdf([text if place == number else other for place, other in enumerate(whole, 1)])

    deep = 50_000
    yield "pdf-arrays-in-arrays.pdf", with_object(4, b"[" * deep + b"]" * deep), {"damaged", "breaks-decoder"}
    yield "pdf-dictionaries-in-dictionaries.pdf", with_object(4, b"<</A" * deep + b">>" * deep), {"*"}
    yield "pdf-arrays-without-end.pdf", with_object(4, b"[" * deep), {"damaged", "breaks-decoder"}
    yield "pdf-no-pages.pdf", with_object(2, b"<< /Type /Pages /Kids [] /Count 0 >>"), {"no-pages", "damaged"}
    yield "pdf-pages-in-circle.pdf", with_object(2, b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>"), {"*"}
    yield (
        "pdf-a-billion-pages.pdf",
        with_object(2, b"<< /Type /Pages /Kids [3 0 R] /Count 1000000000 >>"),
        {"*", "accepted"},
    )
    yield "pdf-same-page-5000-times.pdf", with_object(
        2, b"<< /Type /Pages /Kids [" + b"3 0 R " * 5_000 + b"] /Count 5000 >>"
    ), {"too-many-pages", "damaged"}  # fmt: skip
    yield (
        "pdf-length-of-itself.pdf",
        with_object(4, b"<< /Length 4 0 R >>\nstream\nabc\nendstream"),
        {"*", "accepted"},
    )
    yield (
        "pdf-length-of-gigabytes.pdf",
        with_object(4, b"<< /Length 4000000000 >>\nstream\nabc\nendstream"),
        {"damaged"},
    )
    yield "pdf-unknown-filter.pdf", with_object(4, b"<< /Length 3 /Filter /Nothing >>\nstream\nabc\nendstream"), {"*"}
    yield "pdf-page-is-a-number.pdf", with_object(3, b"42"), {"*"}
    yield "pdf-catalogue-is-a-number.pdf", with_object(1, b"42"), {"*"}
    yield "pdf-contents-are-the-page.pdf", with_object(3, page.replace(b"4 0 R", b"3 0 R")), {"*"}
    yield "pdf-box-of-words.pdf", with_object(3, page.replace(b"[0 0 595 842]", b"[/a /b /c /d]")), {"*", "accepted"}
    yield "pdf-box-of-infinities.pdf", with_object(3, page.replace(b"595", b"9" * 400)), {"*"}
    yield "pdf-places-shifted.pdf", plain_pdf(whole, shift=7), {"damaged"}
    yield "pdf-places-outside.pdf", plain_pdf(whole, shift=1 << 20), {"damaged"}
    yield "pdf-root-missing.pdf", plain_pdf(whole, b""), {"damaged"}
    yield "pdf-root-outside.pdf", plain_pdf(whole, b"/Root 99 0 R"), {"damaged"}
    yield (
        "pdf-table-before-itself.pdf",
        plain_pdf(whole, b"/Root 1 0 R /Prev %d" % (plain_pdf(whole).index(b"xref"))),
        {"*"},
    )
    yield "pdf-size-of-two-billion.pdf", plain_pdf(whole).replace(b"/Size 5", b"/Size 2147483647"), {"*", "accepted"}
    yield "pdf-400000-objects.pdf", plain_pdf([*whole, *[b"0"] * 400_000]), {"too-many-objects"}
    font = b"<< /Type /Font /Subtype /TrueType /BaseFont /A /FontDescriptor << /Type /FontDescriptor /FontFile2 6 0 R >> >>"
    letters = b"<< /Length 33 >>\nstream\nBT /F 40 Tf 50 500 Td (abc) Tj ET\nendstream"
    with_font = page.replace(b"/Resources << >>", b"/Resources << /Font << /F 5 0 R >> >>")
    for name, bytes_ in (("noise", bytes(range(256)) * 40), ("loop", b"\0\1\0\0" + b"\xff" * 4_000)):
        stream = b"<< /Length %d >>\nstream\n" % len(bytes_) + bytes_ + b"\nendstream"
        data = plain_pdf([catalogue, pages, with_font, letters, font, stream])
        yield f"pdf-font-of-{name}.pdf", data, {"*", "accepted"}
    lines = b"<< /Length 700000 >>\nstream\n" + b"q " * 350_000 + b"\nendstream"
    yield "pdf-states-without-end.pdf", with_object(4, lines), {"*", "accepted"}


def _framed() -> Iterator[Built]:
    whole = good.files()["scan.pdf"]
    for name, data in (
        ("page", b"<html><script>alert(1)</script></html>\n"),
        ("archive", b"PK\x03\x04" + bytes(40)),
        ("program", b"MZ\x90\0" + bytes(200)),
        ("picture", b"GIF89a\1\0\1\0"),
    ):
        yield f"{name}-before.pdf", data + whole, {"leading-data"}
    yield "archive-behind.pdf", whole + b"PK\x05\x06" + bytes(18), {"two-types"}
    yield "program-behind.pdf", whole + b"MZ" + bytes(5_000), {"trailing-data"}
    yield "spaces-before.pdf", b" \r\n" + whole, {"*", "accepted"}
    yield "two-in-a-row.pdf", whole + good.files()["text.pdf"], {"*", "accepted"}
    cut = good.files()["flate.pdf"]
    yield "stream-cut-within.pdf", cut[:8_000] + cut[9_000:], {"damaged"}
    jpeg = good.files()["baseline.jpg"]
    yield (
        "scan-of-half-a-picture.pdf",
        whole.replace(jpeg, jpeg[: len(jpeg) // 2].ljust(len(jpeg), b"\0")),
        {"damaged"},
    )
