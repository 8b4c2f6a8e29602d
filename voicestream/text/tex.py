"""TeX formulas in words: ``$x^2 \\leq 4$`` -> x squared is at most 4.

The words are English. A command that is not known is left out, what it holds is not.
"""

from __future__ import annotations

from voicestream.patterns import lazy_pattern

_TOKEN = lazy_pattern(r"\\[A-Za-z]+\*?|\\.|[{}^_]|\d+(?:[.,]\d+)*|[A-Za-z]{3,}|[A-Za-z]|\s+|.", 16)
_SIGNS = {
    "=": "equals", "+": "plus", "-": "minus", "<": "is less than", ">": "is greater than",
    "*": "times", "/": "over", "!": "factorial", "'": "prime", "&": "", "~": "", "|": "", "$": "",
    "\\,": "", "\\;": "", "\\:": "", "\\!": "", "\\ ": "", "\\\\": ",", "\\%": "percent",
    "\\{": "", "\\}": "", "\\|": "", "\\$": "dollars", "\\#": "number", "\\&": "and", "\\_": "",
}  # fmt: skip
_WORDS = {
    "leq": "is at most", "le": "is at most", "geq": "is at least", "ge": "is at least",
    "neq": "is not equal to", "ne": "is not equal to", "approx": "is about", "sim": "is about",
    "equiv": "is equivalent to", "ll": "is much less than", "gg": "is much greater than",
    "times": "times", "cdot": "times", "div": "divided by", "pm": "plus or minus",
    "mp": "minus or plus", "sum": "the sum", "prod": "the product", "int": "the integral",
    "oint": "the integral", "lim": "the limit", "infty": "infinity", "partial": "partial",
    "nabla": "nabla", "to": "to", "rightarrow": "to", "leftarrow": "from", "mapsto": "maps to",
    "implies": "implies", "Rightarrow": "implies", "iff": "if and only if",
    "Leftrightarrow": "if and only if", "in": "in", "notin": "not in", "subset": "is a subset of",
    "subseteq": "is a subset of", "cup": "union", "cap": "intersected with", "forall": "for all",
    "exists": "there exists", "neg": "not", "land": "and", "wedge": "and", "lor": "or",
    "vee": "or", "emptyset": "the empty set", "circ": "degrees", "degree": "degrees",
    "propto": "is proportional to", "perp": "is perpendicular to", "parallel": "is parallel to",
    "angle": "angle", "therefore": "therefore", "because": "because", "ldots": "and so on",
    "dots": "and so on", "cdots": "and so on", "mid": "given", "prime": "prime",
    "log": "log", "ln": "natural log", "exp": "exp", "sin": "sine", "cos": "cosine",
    "tan": "tangent", "max": "max", "min": "min", "det": "det", "mod": "mod", "bmod": "mod",
    "ell": "l", "hbar": "h bar", "Re": "the real part of", "Im": "the imaginary part of",
}  # fmt: skip
_GREEK = frozenset(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau "
    "upsilon phi chi psi omega".split()
)
_OPERATORS = frozenset("sum prod int oint lim max min".split())
_RAW = frozenset(
    "text textbf textit textrm textsf texttt emph mathrm mathbf mathit mathsf mathtt mathbb "
    "mathcal mathfrak operatorname mbox label tag".split()
)
_AROUND = frozenset("boxed hat bar vec tilde dot overline underline widehat fbox".split())
_FRACTIONS = frozenset("frac dfrac tfrac cfrac".split())
_POWERS = {"2": "squared", "3": "cubed", "degrees": "degrees", "prime": "prime"}
_POWERS |= {"T": "transpose", "\u2032": "prime"}
_SPACE_BEFORE = lazy_pattern(r"\s+([,.;:!?)\]])")
_SPACE_AFTER = lazy_pattern(r"([(\[])\s+")

ARGUMENTS = dict.fromkeys(_RAW | _AROUND, 1) | {"sqrt": 1, **dict.fromkeys(_FRACTIONS, 2)}
"""Commands that hold something, and how many groups they take."""
_DEPTH_MAX = 20


def is_command(name: str) -> bool:
    """Return a command that is also understood outside of a formula."""
    return name in ARGUMENTS or name in _WORDS or name.lower().removeprefix("var") in _GREEK


def spoken(source: str) -> str:
    """Return a formula, without the marks around it, in words."""
    words = " ".join(filter(None, _Formula(source).words("", 0)))
    return _SPACE_AFTER.sub(r"\1", _SPACE_BEFORE.sub(r"\1", words)).strip()


def _sign(token: str) -> str:
    return _SIGNS[token] if token in _SIGNS else token.strip("\\{}^_")


class _Formula:
    """The tokens of a formula, read from left to right."""

    def __init__(self, source: str) -> None:
        self._tokens = [token for token in _TOKEN.findall(source) if token.strip() or token == " "]
        self._at = 0

    def words(self, until: str, depth: int) -> list[str]:
        """Return the words up to the token ``until``, or up to the end."""
        out: list[str] = []
        operator = False  # what stands above and below it are its bounds
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            self._at += 1
            if token == until:
                break
            if token in ("^", "_"):
                out.append(self._script(token, operator, depth))
                continue
            if token == "{":
                out += self.words("}", depth + 1) if depth < _DEPTH_MAX else []
            elif token[0] == "\\" and token[1:2].isalpha():
                out.append(self._command(token[1:].rstrip("*"), depth))
                operator = token[1:] in _OPERATORS
                continue
            elif token not in ("}", " "):
                out.append(_sign(token))
            if token != " ":
                operator = False
        return out

    def _script(self, mark: str, operator: bool, depth: int) -> str:
        word = self._group(depth)
        if operator:
            return f"{'from' if mark == '_' else 'to'} {word}"
        if mark == "_":
            return f"sub {word}"
        return _POWERS.get(word, f"to the power of {word}")

    def _command(self, name: str, depth: int) -> str:
        if name in _RAW:
            text = self._raw()
            return "" if name in ("label", "tag") else text
        if name in _FRACTIONS:
            return f"{self._group(depth)} over {self._group(depth)}"
        if name == "sqrt":
            index = self._option()
            root = f"the {index} root of" if index else "the square root of"
            return f"{'the cube root of' if index == '3' else root} {self._group(depth)}"
        if name in _AROUND:
            return self._group(depth)
        if name in ("begin", "end"):
            self._raw()
            return ""
        letter = name.removeprefix("var")
        return letter if letter.lower() in _GREEK else _WORDS.get(name, "")

    def _skip_blanks(self) -> str:
        while self._at < len(self._tokens) and self._tokens[self._at] == " ":
            self._at += 1
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _group(self, depth: int) -> str:
        """Return the next group or token in words."""
        token = self._skip_blanks()
        self._at += 1
        if token == "{":
            words = self.words("}", depth + 1) if depth < _DEPTH_MAX else []
            return " ".join(filter(None, words))
        if token[:1] == "\\" and token[1:2].isalpha() and depth < _DEPTH_MAX:
            return self._command(token[1:].rstrip("*"), depth + 1)
        return _sign(token)

    def _raw(self) -> str:
        """Return the next group as it stands."""
        if self._skip_blanks() != "{":
            return ""
        end = depth = 0
        for end in range(self._at, len(self._tokens)):
            depth += (self._tokens[end] == "{") - (self._tokens[end] == "}")
            if depth == 0:
                break
        text = "".join(self._tokens[self._at + 1 : end])
        self._at = end + 1
        return text

    def _option(self) -> str:
        """Return what stands in brackets after a command."""
        if self._skip_blanks() != "[" or "]" not in self._tokens[self._at :]:
            return ""
        end = self._tokens.index("]", self._at)
        text = "".join(self._tokens[self._at + 1 : end])
        self._at = end + 1
        return text
