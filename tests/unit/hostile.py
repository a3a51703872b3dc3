# ruff: noqa: RUF001 - letters that look like others are the point here
"""Strings that try to be more than text on some screen; every screen must show them as text.

Test modules get them through the ``hostile`` fixture of this folder's ``conftest.py``
(one test for each string) or ``hostile_corpus`` (all of them). From another folder::

    HOSTILE = runpy.run_path("tests/unit/hostile.py")["HOSTILE"]
"""

MARKUP = (
    "<b>bold</b>",
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><img src=x onerror="alert(1)">',
    "'><svg/onload=alert(1)>",
    "<style>*{display:none}</style>",
    "<iframe src=//example.com></iframe>",
    "</td></tr></table><h1>out</h1>",
    "</pre></div>out",
    '<a href="javascript:alert(1)">click</a>',
    '<span style="position:fixed">x</span>',
    "a<br>b<sup>2</sup>",
    "&lt;b&gt; &amp; &#60;script&#62; &quot;",
    "--> out",
    "<!-- comment",
    "]]> out",
    "{{x}} {% x %} ${x} {x!r} %(x)s %{x} %{y:.2f}",
)
MARKDOWN = (
    "![pixel](https://example.com/pixel.png)",
    "[click](javascript:alert(1))",
    "[ref]: https://example.com",
    "<https://example.com>",
    "https://example.com www.example.com someone@example.com",
    "# heading",
    "- item",
    "1. item",
    "> quote",
    "    code",
    "```\nfence\n```",
    "`code` **bold** _em_ ~~gone~~",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "\\[x\\] \\(y\\)",
)
MATHEMATICS = (
    r"$\frac{1}{2}$",
    r"$$\int_0^1$$",
    "$",
    "$5 and $10",
    r"\$x\$",
    r"$\notacommand{$",
    r"\begin{align}x\end{align}",
    "$_$^$",
)
CONTROLS = (
    "two\nlines",
    "carriage\rreturn",
    "dos\r\nline",
    "tab\there",
    "null\x00byte",
    "bell\x07 backspace\x08\x08\x08",
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\x1b]8;;https://example.com\x1b\\link\x1b]8;;\x1b\\",
    "\x1b[2J\x1b[H",
    "\x9b31mred",
    "\x1bPdcs\x1b\\",
    "\x1b]unfinished",
    "\x85next\u2028line\u2029paragraph",
    "vertical\x0btab\x0cfeed\x1c\x1d\x1e\x1f",
    "\x7f\x80\x9f",
)
DIRECTIONS = (
    "\u202etxt.exe",
    "\u202aa\u202bb\u202cc\u202dd",
    "\u2066a\u2067b\u2068c\u2069d",
    "\u2069\u2069 out of an isolate",
    "\u2068plain in an isolate\u2069",
    "\u2068\u202eשלום\u2069",
    "\u200f\u200e\u061c",
    "שלום, 12 (3)",
    "العربية 12 (3)",
    "abc שלום 5",
)
INVISIBLE = (
    "zero\u200bwidth\u200c\u200d\ufeff\u2060",
    "soft\u00adhyphen",
    "\u3164\uffa0\u115f",
    "tag\U000e0041\U000e0042",
    "variation\ufe00\U000e0100",
    "",
    " ",
    "\u00a0\u3000",
)
WORDS = (
    "null",
    "None",
    "NaN",
    "😀 👩‍👩‍👧 🏴",
    "日本語 中文 한국어",
    "é e\u0301 " + "z\u0335\u0336\u0337" * 20,
    "\ud800 lone surrogate",
    "\ue000 private \U0010ffff",
    "a" * 5000,
    "wide " + "語" * 500,
    "'single' \"double\" `back` “curly” „low“ «guillemets» ‹x› ′ ″",
    "'; DROP TABLE sales; --",
    "\\",
    "C:\\temp\\new",
    "=cmd|' /C calc'!A0",
    "../../etc/passwd",
    "__import__('os').system('id')",
    '"""\nimport os\n"""',
)
HOSTILE: tuple[str, ...] = (
    MARKUP + MARKDOWN + MATHEMATICS + CONTROLS + DIRECTIONS + INVISIBLE + WORDS
)
