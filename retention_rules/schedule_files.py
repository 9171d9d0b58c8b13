"""Schedules as files that archivists edit: YAML for a whole version, CSV for its classes. Text in, values out, and back.

Every problem of a file is told at once, with its line.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import yaml

from retention_rules.differences import FIELDS
from retention_rules.errors import InvalidData
from retention_rules.model import ClassDefinition, FiscalYear
from retention_rules.packs import CLASS_KEYS, class_from, plain_class
from retention_rules.plain_yaml import AliasUsed, PlainLoader
from retention_rules.problems import InvalidFile, Problem, Wrong
from retention_rules.schedules import Schedule

CHARACTERS_MAX, CLASSES_MAX = 4 * 2**20, 5_000
COLUMNS = (
    "code",
    "name_zh",
    "name_en",
    "category_code",
    "period_code",
    "rules",
    "own_period",
    "own_trigger",
    "own_calendar",
    "disposition",
    "lock",
    "horizon",
    "intake_lasts_days",
    "copies",
    "sensitivity",
    "keep_unopened",
)
_NEEDED = ("code", "name_zh", "name_en", "category_code", "period_code")
_LABELS = {FIELDS[column][0]: column for column in COLUMNS}
_CODE = re.compile(r"[A-Z0-9][A-Z0-9._-]{0,39}")
_WORDS = {"yes": True, "true": True, "是": True, "no": False, "false": False, "否": False}
_FORMULA = re.compile(r"[=+\-@\t\r]")
_BARE: Mapping[str, Any] = dict.fromkeys(_NEEDED, "X")


@dataclass(frozen=True)
class _Cell:
    """A value of a file as text, or a list of texts, with its line."""

    value: str | list[str]
    line: int


_Row = tuple[int, dict[str, _Cell]]


def classes_to_csv(classes: Iterable[ClassDefinition], *, is_chinese: bool = False) -> str:
    """Classes as CSV; the header as codes, or in Chinese. Lists are parted by blanks."""
    written: list[str] = []
    writer = csv.writer(_Lines(written))
    writer.writerow([FIELDS[column][0] if is_chinese else column for column in COLUMNS])
    for definition in classes:
        plain = plain_class(definition)
        writer.writerow([_as_text(plain[column]) for column in COLUMNS])
    return "".join(written)


def classes_from_csv(text: str, rules: Collection[str]) -> tuple[ClassDefinition, ...]:
    """Classes from CSV, with a header of codes or Chinese labels. `rules` are the codes of the rules that exist.

    Raises:
        InvalidFile: something is wrong; it names the lines.
    """
    _refuse_large(text)
    lines = text.removeprefix("\ufeff").splitlines(keepends=True)
    reader = csv.reader(lines, strict=True)
    rows: list[_Row] = []
    problems: list[Problem] = []
    header: list[str] = []
    first_line = 1
    try:
        for cells in reader:
            if not header:
                header = [_LABELS.get(cell.strip(), cell.strip()) for cell in cells]
                problems += _header_problems(header)
            elif any(cell.strip() for cell in cells):
                rows.append(_csv_row(first_line, header, cells, problems))
            first_line = reader.line_num + 1
    except csv.Error as error:
        problems.append(Problem(reader.line_num, Wrong.NOT_CSV, told={"cause": str(error)}))
    if not header:
        problems.append(Problem(1, Wrong.EMPTY))
    if problems:
        raise InvalidFile(problems)
    return _classes(rows, rules)


def class_from_texts(texts: Mapping[str, str | list[str]], rules: Collection[str]) -> ClassDefinition:
    """One class as a form sends it, by field; what is empty counts as not there. `rules` are the codes that exist.

    Raises:
        InvalidFile: fields cannot be; each problem names its field.
    """
    cells = {name: _Cell(value, 0) for name, value in texts.items() if value}
    return _classes([(0, cells)], rules)[0]


def schedule_to_yaml(schedule: Schedule) -> str:
    """A schedule version as YAML. When it was approved, and by whom, stands in the ledger and not in the file."""
    content = {
        "version": schedule.version,
        "effective_date": schedule.effective_date.isoformat(),
        "fiscal_year_end": f"{schedule.fiscal_year.end_month:02d}-{schedule.fiscal_year.end_day:02d}",
        "packs": list(schedule.packs),
        "classes": [_set_only(plain_class(definition)) for definition in schedule.classes],
    }
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=110)


def schedule_from_yaml(text: str, rules: Collection[str], packs: Collection[str]) -> Schedule:
    """A schedule version from YAML. `rules` and `packs` are the codes and versions that exist.

    Raises:
        InvalidFile: something is wrong; it names the lines.
    """
    _refuse_large(text)
    root = _composed(text)
    fields, problems = _mapping(root, {"version", "effective_date", "fiscal_year_end", "packs", "classes"})
    read: dict[str, Any] = {}
    for name, parse in _HEAD.items():
        node = fields.get(name)
        if node is None:
            if name != "fiscal_year_end":
                problems.append(Problem(1, Wrong.MISSING, name))
            continue
        try:
            read[name] = parse(_plain(node))
        except ValueError:
            problems.append(_not_allowed(name, _Cell(_plain(node), _line(node))))
    missing = sorted(set(read.get("packs", ())) - set(packs))
    if missing:
        problems.append(Problem(_line(fields["packs"]), Wrong.NO_PACK, "packs", {"value": ", ".join(missing)}))
    classes: tuple[ClassDefinition, ...] = ()
    try:
        classes = _classes(_yaml_rows(fields.get("classes"), problems), rules)
    except InvalidFile as found:
        problems += found.problems
    if problems:
        raise InvalidFile(problems)
    return Schedule(
        version=read["version"],
        effective_date=read["effective_date"],
        classes=classes,
        packs=tuple(read["packs"]),
        fiscal_year=read.get("fiscal_year_end", FiscalYear()),
    )


def _classes(rows: Sequence[_Row], rules: Collection[str]) -> tuple[ClassDefinition, ...]:
    problems: list[Problem] = []
    found: dict[str, ClassDefinition] = {}
    lines: dict[str, int] = {}
    if len(rows) > CLASSES_MAX:
        raise InvalidFile([Problem(rows[CLASSES_MAX][0], Wrong.TOO_LARGE, told={"most": str(CLASSES_MAX)})])
    for line, cells in rows:
        wrong = list(_row_problems(line, cells, rules))
        if wrong:
            problems += wrong
            continue
        definition = class_from({name: _meant(name, cell) for name, cell in cells.items()})
        if definition.code in lines:
            told = {"value": definition.code, "first": str(lines[definition.code])}
            problems.append(Problem(line, Wrong.CLASS_TWICE, "code", told))
        lines[definition.code], found[definition.code] = line, definition
    if problems:
        raise InvalidFile(problems)
    return tuple(found.values())


def _row_problems(line: int, cells: Mapping[str, _Cell], rules: Collection[str]) -> Iterator[Problem]:
    """What is wrong with each field of a class."""
    for name in _NEEDED:
        if name not in cells:
            yield Problem(line, Wrong.MISSING, name)
    for name, cell in cells.items():
        problem = _field_problem(name, cell, rules)
        if problem is not None:
            yield problem


def _field_problem(name: str, cell: _Cell, rules: Collection[str]) -> Problem | None:
    value = cell.value
    if name == "rules":
        missing = sorted(set(value) - set(rules))
        return Problem(cell.line, Wrong.NO_RULE, name, {"value": ", ".join(missing)}) if missing else None
    if not isinstance(value, str) or (name == "code" and _CODE.fullmatch(value) is None):
        return _not_allowed(name, cell)
    if name in _NEEDED and _FORMULA.match(value):
        return Problem(cell.line, Wrong.FORMULA, name, {"value": value[0]})
    try:
        class_from({**_BARE, name: _meant(name, cell)})
    except InvalidData:
        return _not_allowed(name, cell)
    return None


def _not_allowed(name: str, cell: _Cell) -> Problem:
    value = cell.value if isinstance(cell.value, str) else ", ".join(cell.value)
    return Problem(cell.line, Wrong.NOT_ALLOWED, name, {"value": value})


def _meant(name: str, cell: _Cell) -> Any:
    """What a text stands for in a field."""
    if name != "keep_unopened":
        return cell.value
    word = str(cell.value).lower()
    if word not in _WORDS:
        raise InvalidData("yes or no is expected", "应为 yes 或 no")
    return _WORDS[word]


def _header_problems(header: Sequence[str]) -> Iterator[Problem]:
    for column in sorted(set(header) - CLASS_KEYS):
        yield Problem(1, Wrong.UNKNOWN, told={"value": column})
    for column in _NEEDED:
        if column not in header:
            yield Problem(1, Wrong.MISSING, column)
    for column in sorted({column for column in header if header.count(column) > 1}):
        yield Problem(1, Wrong.TWICE, column)


def _csv_row(line: int, header: Sequence[str], cells: Sequence[str], problems: list[Problem]) -> _Row:
    if len(cells) > len(header):
        told = {"values": str(len(cells)), "columns": str(len(header))}
        problems.append(Problem(line, Wrong.TOO_MANY_VALUES, told=told))
    row: dict[str, _Cell] = {}
    for column, cell in zip(header, cells, strict=False):
        text = cell.strip()
        if text:
            row[column] = _Cell(re.split(r"[\s,;，；、]+", text) if column == "rules" else text, line)
    return (line, row)


def _composed(text: str) -> yaml.Node:
    try:
        root = yaml.compose(text, Loader=PlainLoader)
    except AliasUsed as error:
        raise InvalidFile([Problem(_marked(error.problem_mark), Wrong.ALIAS)]) from error
    except yaml.MarkedYAMLError as error:
        told = {"cause": str(error.problem)}
        raise InvalidFile([Problem(_marked(error.problem_mark), Wrong.NOT_YAML, told=told)]) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise InvalidFile([Problem(1, Wrong.NOT_YAML, told={"cause": str(error)})]) from error
    if not isinstance(root, yaml.MappingNode):
        raise InvalidFile([Problem(1, Wrong.EMPTY)])
    return root


def _mapping(node: yaml.Node, known: Collection[str]) -> tuple[dict[str, yaml.Node], list[Problem]]:
    fields: dict[str, yaml.Node] = {}
    problems = []
    for key, value in node.value:
        name = str(key.value)
        if name not in known:
            problems.append(Problem(_line(key), Wrong.UNKNOWN, told={"value": name}))
        elif name in fields:
            problems.append(Problem(_line(key), Wrong.TWICE, name))
        else:
            fields[name] = value
    return fields, problems


def _yaml_rows(classes: yaml.Node | None, problems: list[Problem]) -> list[_Row]:
    if not isinstance(classes, yaml.SequenceNode):
        if classes is not None and _is_set(classes):
            problems.append(_not_allowed("classes", _Cell(str(classes.value), _line(classes))))
        return []
    rows: list[_Row] = []
    for node in classes.value:
        if not isinstance(node, yaml.MappingNode):
            problems.append(_not_allowed("classes", _Cell(str(node.value), _line(node))))
            continue
        fields, wrong = _mapping(node, CLASS_KEYS)
        problems += wrong
        cells = {name: _Cell(_plain(value), _line(value)) for name, value in fields.items() if _is_set(value)}
        if "rules" in cells and isinstance(cells["rules"].value, str):
            cells["rules"] = _Cell([cells["rules"].value], cells["rules"].line)
        rows.append((_line(node), cells))
    return rows


def _plain(node: yaml.Node) -> str | list[str]:
    """A node as it is written: `0012` stays `0012`."""
    if isinstance(node, yaml.SequenceNode):
        return [str(entry.value) for entry in node.value]
    return str(node.value)


def _is_set(node: yaml.Node) -> bool:
    return not (isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null")


def _line(node: yaml.Node) -> int:
    return _marked(node.start_mark)


def _marked(mark: Any) -> int:
    """The line of a mark, counted from one."""
    return 1 if mark is None else int(mark.line) + 1


def _refuse_large(text: str) -> None:
    if len(text) > CHARACTERS_MAX:
        raise InvalidFile([Problem(1, Wrong.TOO_LARGE, told={"most": str(CHARACTERS_MAX)})])


def _set_only(plain: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in plain.items() if value is not None}


def _as_text(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _head_text(value: str | list[str]) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InvalidData("a text is expected", "应为文字")
    return value


def _head_day(value: str | list[str]) -> date:
    return date.fromisoformat(_head_text(value))


def _head_year(value: str | list[str]) -> FiscalYear:
    match = re.fullmatch(r"([0-9]{2})-([0-9]{2})", _head_text(value))
    if match is None or not 1 <= int(match[1]) <= 12 or not 1 <= int(match[2]) <= 31:
        raise InvalidData("a month and a day are expected", "应为月和日")
    return FiscalYear(int(match[1]), int(match[2]))


def _head_list(value: str | list[str]) -> list[str]:
    if isinstance(value, str):
        raise InvalidData("a list is expected", "应为列表")
    return value


_HEAD: Mapping[str, Callable[[str | list[str]], Any]] = {
    "version": _head_text,
    "effective_date": _head_day,
    "fiscal_year_end": _head_year,
    "packs": _head_list,
}


class _Lines:
    """Where a csv writer writes to."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines

    def write(self, line: str) -> None:
        self.lines.append(line)
