"""The words for each finding: what was found, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

from vault.foundation.errors import N_


@dataclass(frozen=True)
class Explanation:
    """msgids, filled by the finding's facts."""

    message: str
    hint: str


# What may stand for {problem}.
ENDS_EARLY = N_("it ends too early")
NO_SENSE = N_("its header makes no sense")
NO_PICTURE = N_("it has no picture")
TOO_MANY_PARTS = N_("it has too many parts")
NOT_UNPACKABLE = N_("a part cannot be unpacked")
LARGER = N_("it is larger than it declares")
PICTURE_ENDS_EARLY = N_("a picture ends too early")
NOT_DECODABLE = N_("its content cannot be decoded")

_SCAN_AGAIN = N_("Scan the slip again.")
_PRINT_AGAIN = N_("Save or print it as a plain PDF without active content, and send that.")

EXPLANATIONS: dict[str, Explanation] = {
    "zero-bytes": Explanation(N_("The file is empty."), N_("The scanner or the copy failed. Scan the slip again.")),
    "upload-abandoned": Explanation(
        N_("The sending of this file was begun and never finished; nothing of it is in the archive."),
        N_("Send it again: the same file is taken up where it ended."),
    ),
    "unsupported-type": Explanation(
        N_("The file is of a type that this class does not take: {found}."),
        N_("Send TIFF, JPEG, PNG, JPEG 2000 or PDF, or choose a class that keeps attachments as they are."),
    ),
    "extension-mismatch": Explanation(
        N_("The name ends with {extension}, but the content is {found}."), N_("Nothing to do: the content counts.")
    ),
    "damaged": Explanation(N_("The file cannot be read to its end: {problem}."), _SCAN_AGAIN),
    "too-many-pixels": Explanation(
        N_("The picture would have {pixels} pixels, more than {pixels_max}."),
        N_("Scan with a lower resolution; 200 to 300 dpi is enough for a slip."),
    ),
    "absurd-dimensions": Explanation(N_("The picture is {width} by {height} pixels, which no page is."), _SCAN_AGAIN),
    "too-many-pages": Explanation(
        N_("The file has more than {pages_max} pages."), N_("Split it into several files.")
    ),
    "too-many-objects": Explanation(
        N_("The PDF has more than {objects_max} objects."), N_("Split it, or print it again as a plain PDF.")
    ),
    "no-pages": Explanation(N_("The file has no page."), _SCAN_AGAIN),
    "dpi-too-low": Explanation(
        N_("The resolution is {dpi} dpi; less than {dpi_min} cannot be read later."),
        N_("Scan again with 200 dpi or more."),
    ),
    "dpi-low": Explanation(
        N_("The resolution is {dpi} dpi; the standard asks for {dpi_wanted}."),
        N_("Set the scanner to 200 dpi or more (DA/T 31-2017)."),
    ),
    "skewed": Explanation(
        N_("The page is skewed by {degrees} degrees."), N_("Straighten the sheets in the feeder and scan again.")
    ),
    "blank-page": Explanation(N_("The page is blank."), N_("Check that no side was missed.")),
    "all-blank": Explanation(
        N_("Every page is blank."), N_("The sheets were probably fed the wrong way round. Scan them again.")
    ),
    "clipped": Explanation(
        N_("The writing runs over the edge: {edge}."), N_("Check that nothing was cut off; scan again if it was.")
    ),
    "trailing-data": Explanation(
        N_("{size_bytes} bytes follow the end of the picture or document; they may hide something."),
        N_("Scan or save it again; the new file must not carry them."),
    ),
    "two-types": Explanation(
        N_("The file can be read as {first} and as {second}; one of the two may hide something."), _SCAN_AGAIN
    ),
    "more-pictures": Explanation(
        N_("The file holds further pictures behind the first; only the first is taken as a page."),
        N_("If they matter, save them as files of their own and send those too."),
    ),
    "file-too-large": Explanation(
        N_("The picture has {size_bytes} bytes, more than {size_bytes_max}."),
        N_("Scan with a lower resolution; 200 to 300 dpi is enough for a slip."),
    ),
    "unpacks-too-large": Explanation(
        N_("A small part of the file would unpack into something far too large: {what}."), _SCAN_AGAIN
    ),
    "judged-in-part": Explanation(
        N_(
            "The file is long: after page {pages} the looks of the pages were not judged, only that they can be read."
        ),
        N_("Look through the last pages yourself, or send the file in parts."),
    ),
    "leading-data": Explanation(N_("Other data stands before the PDF; it may hide something."), _PRINT_AGAIN),
    "encrypted": Explanation(
        N_("The PDF is encrypted."),
        N_("Remove the password and send it again; here it is encrypted on its own account."),
    ),
    "active-content": Explanation(N_("The PDF can run something: {what}."), _PRINT_AGAIN),
    "embedded-files": Explanation(N_("The PDF carries other files inside."), N_("Send those files by themselves.")),
    "takes-too-long": Explanation(
        N_("Examining the file took longer than {seconds} seconds."), N_("Scan or save it again as a plain file.")
    ),
    "breaks-decoder": Explanation(
        N_("The file makes the decoder fail or use too much memory."), N_("Scan or save it again as a plain file.")
    ),
}


def explain_finding(code: str) -> Explanation:
    """The words for a code; a code of an older version explains itself by its name."""
    return EXPLANATIONS.get(code, Explanation(code, ""))
