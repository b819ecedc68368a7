"""A sheet of A4 in plain type: titles, figures, a bar of shares, and tables that run over pages."""

import functools
import unicodedata
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from font_source_sans_pro import font_files_ttf
from fpdf import FPDF
from fpdf.fonts import TTFFont
from text_unidecode import unidecode

type Colour = tuple[int, int, int]

INK: Final[Colour] = (32, 38, 44)
GREY: Final[Colour] = (112, 118, 125)
RULE: Final[Colour] = (214, 218, 222)
BAND: Final[Colour] = (245, 247, 248)
GREEN: Final[Colour] = (32, 122, 98)
AMBER: Final[Colour] = (226, 160, 58)
BLUE: Final[Colour] = (74, 120, 176)
PALE: Final[Colour] = (176, 182, 188)

MARGIN_MM: Final = 16.0
WIDTH_MM: Final = 210.0 - 2 * MARGIN_MM
BOTTOM_MM: Final = 297.0 - 20.0

# Each paper carries the letters that it uses: the faces that every reader of PDF has know no ş.
_FACE: Final = "SourceSansPro"
_FILES: Final = {"": font_files_ttf[_FACE], "B": font_files_ttf[f"{_FACE}Semibold"]}


@functools.lru_cache(maxsize=1024)
def printable(text: str) -> str:
    """Return a text in the letters that the typeface has: Latin, Greek and Cyrillic ones.

    Others are written plainly, such as t`bilisi for that city's name in Georgian letters; what has
    no plain way, such as a little picture, is left out. The end of a line becomes a space.
    """
    composed, letters = unicodedata.normalize("NFC", " ".join(text.splitlines())), _letters()
    plain = "".join(one if one in letters else unidecode(one) for one in composed)
    return "".join(one for one in plain if one in letters)


@functools.cache
def _letters() -> frozenset[str]:
    """Return the letters that both weights of the typeface have."""
    paper = FPDF()
    with closing(_open_face(paper)):
        return frozenset.intersection(*(frozenset(map(chr, one.cmap)) for one in _weights(paper)))


def _open_face(paper: FPDF) -> ExitStack:
    """Let a paper be set in the typeface, whose files are open until what is returned is closed."""
    files = ExitStack()
    for style, file in _FILES.items():
        paper.add_font(_FACE, style=style, fname=file)
    for weight in _weights(paper):
        files.callback(weight.ttfont.close)
    return files


def _weights(paper: FPDF) -> list[TTFFont]:
    return [font for font in paper.fonts.values() if isinstance(font, TTFFont)]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a bar: its name, how large it is, how that is written, and its colour."""

    name: str
    size: int
    written: str
    colour: Colour


@dataclass(frozen=True, slots=True)
class Head:
    """A column of a table: its title, width, and whether it holds figures."""

    title: str
    width_mm: float
    is_figure: bool = True


class Paper(FPDF):
    """A document whose bytes follow from what is put on it, and from nothing else."""

    def __init__(self, *, title: str, about: str, at: datetime) -> None:
        super().__init__(format="A4")
        self._files = _open_face(self)
        self._about = printable(about)
        # A document has to bear a moment: that of what it says, not that of its drawing.
        self.set_creation_date(at)
        self.set_title(title)
        self.set_producer("Meent")
        self.set_margins(MARGIN_MM, MARGIN_MM)
        self.set_auto_page_break(auto=False)
        self.alias_nb_pages()
        self.add_page()

    def footer(self) -> None:
        """Say at the foot of each page what it is of."""
        self.set_y(-13)
        self._type(7.5, colour=GREY)
        self.cell(WIDTH_MM - 30, 4, self._about)
        self.cell(30, 4, f"{self.page_no()} / {{nb}}", align="R")

    def _type(self, size_pt: float, *, bold: bool = False, colour: Colour = INK) -> None:
        self.set_font(_FACE, style="B" if bold else "", size=size_pt)
        self.set_text_color(*colour)

    def room(self, height_mm: float) -> None:
        """Go on to a new page unless so much room is left on this one."""
        if self.get_y() + height_mm > BOTTOM_MM:
            self.add_page()

    def masthead(self, *, house: str, title: str, under: Sequence[str]) -> None:
        """Set the cooperative's name, the title and the lines under it."""
        self._type(9, bold=True, colour=GREEN)
        self.cell(WIDTH_MM, 5, printable(house), new_x="LMARGIN", new_y="NEXT")
        self._type(20, bold=True)
        self.cell(WIDTH_MM, 10, printable(title), new_x="LMARGIN", new_y="NEXT")
        self._type(9.5, colour=GREY)
        for line in under:
            self.multi_cell(
                WIDTH_MM, 4.8, printable(line), align="L", new_x="LMARGIN", new_y="NEXT"
            )
        self.ln(4)

    def heading(self, text: str, *, room_mm: float = 30.0) -> None:
        """Set a title within the page, with room for what follows it."""
        self.room(room_mm)
        self.ln(3)
        self._type(11.5, bold=True)
        self.cell(WIDTH_MM, 7, printable(text), new_x="LMARGIN", new_y="NEXT")

    def words(self, text: str, *, colour: Colour = INK, size_pt: float = 9.0) -> None:
        """Set a paragraph."""
        self.room(10)
        self._type(size_pt, colour=colour)
        self.multi_cell(
            WIDTH_MM, size_pt * 0.5, printable(text), align="L", new_x="LMARGIN", new_y="NEXT"
        )

    def figures(self, shown: Sequence[tuple[str, str]]) -> None:
        """Set some large figures beside each other, each with a word below it."""
        width, top = WIDTH_MM / len(shown), self.get_y()
        self.set_fill_color(*BAND)
        self.rect(MARGIN_MM, top, WIDTH_MM, 17, style="F")
        for n, (word, figure) in enumerate(shown):
            self.set_xy(MARGIN_MM + n * width + 3, top + 2.5)
            self._type(14, bold=True)
            self.cell(width - 3, 7, printable(figure))
            self.set_xy(MARGIN_MM + n * width + 3, top + 9.5)
            self._type(8, colour=GREY)
            self.cell(width - 3, 4.5, printable(word))
        self.set_xy(MARGIN_MM, top + 20)

    def bar(self, parts: Sequence[Part]) -> None:
        """Draw one bar, its parts as long as they are large, and a line below that names them."""
        shown = [part for part in parts if part.size > 0]
        whole = sum(part.size for part in shown)
        if not whole:
            return
        self.room(20)
        x, top = MARGIN_MM, self.get_y() + 1
        for part in shown:
            length = WIDTH_MM * part.size / whole
            self.set_fill_color(*part.colour)
            self.rect(x, top, length, 7, style="F")
            if length > 14:
                self.set_xy(x, top)
                self._type(8.5, bold=True, colour=(255, 255, 255))
                self.cell(length, 7, f"{100 * part.size / whole:.1f} %", align="C")
            x += length
        self.set_xy(MARGIN_MM, top + 9)
        for part in shown:
            named = printable(f"{part.name}  {part.written}")
            self._type(8.5)
            width = self.get_string_width(named) + 11
            if self.get_x() + width > MARGIN_MM + WIDTH_MM:
                self.set_xy(MARGIN_MM, self.get_y() + 5)
            self.set_fill_color(*part.colour)
            self.rect(self.get_x(), self.get_y() + 1, 2.6, 2.6, style="F")
            self.set_x(self.get_x() + 3.4)
            self.cell(width - 3.4, 4.6, named)
        self.set_xy(MARGIN_MM, self.get_y() + 7)

    def account(self, rows: Sequence[tuple[str, str, bool]]) -> None:
        """Set lines with an amount each; those that are sums in bold under a rule."""
        for name, amount, is_sum in rows:
            self.room(7)
            if is_sum:
                self._rule(self.get_y())
            self._type(9.5, bold=is_sum)
            self.cell(WIDTH_MM - 40, 5.6, printable(name))
            self.cell(40, 5.6, amount, align="R", new_x="LMARGIN", new_y="NEXT")

    def listing(self, heads: Sequence[Head], rows: Sequence[Sequence[str]]) -> None:
        """Set a table; its titles stand on every page that it reaches."""
        self._heads(heads)
        for number, row in enumerate(rows):
            if self.get_y() + 4.8 > BOTTOM_MM:
                self.add_page()
                self._heads(heads)
            self._row(heads, row, is_banded=number % 2 == 1)
        self.ln(1)

    def total(self, heads: Sequence[Head], row: Sequence[str]) -> None:
        """Set the sums of a table under it."""
        self.room(6)
        self._rule(self.get_y() - 0.6)
        self._type(7.5, bold=True)
        for head, text in zip(heads, row, strict=True):
            self.cell(head.width_mm, 5, printable(text), align="R" if head.is_figure else "L")
        self.ln(6)

    def _heads(self, heads: Sequence[Head]) -> None:
        self._type(7.5, bold=True, colour=GREY)
        for head in heads:
            self.cell(head.width_mm, 5.5, head.title, align="R" if head.is_figure else "L")
        self.ln(5.5)
        self._rule(self.get_y())
        self._type(7.5)

    def _row(self, heads: Sequence[Head], row: Sequence[str], *, is_banded: bool) -> None:
        if is_banded:
            self.set_fill_color(*BAND)
            self.rect(MARGIN_MM, self.get_y(), WIDTH_MM, 4.8, style="F")
        for head, text in zip(heads, row, strict=True):
            self.cell(head.width_mm, 4.8, printable(text), align="R" if head.is_figure else "L")
        self.ln(4.8)

    def _rule(self, y: float) -> None:
        self.set_draw_color(*RULE)
        self.set_line_width(0.25)
        self.line(MARGIN_MM, y, MARGIN_MM + WIDTH_MM, y)

    def content(self) -> bytes:
        """Return the document's bytes."""
        with closing(self._files):
            return bytes(self.output())
