"""The query language: words, grammar, and the two errors of its parser (reference section 5)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from erp_twins.quickbooks import faults
from erp_twins.quickbooks.faults import QboFault

Value = str | Decimal | bool

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<STRING>'(?:[^'\\]|\\.)*')
  | (?P<NUMBER>-?\d+(?:\.\d+)?)
  | (?P<IDENTIFIER>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)
  | (?P<SIGN><=|>=|=|<|>|\(|\)|,|\*)
  | (?P<BAD>\S))""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    column: int


@dataclass(frozen=True)
class Condition:
    prop: str
    operator: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Query:
    """One SELECT statement. `count` is SELECT COUNT(*)."""

    entity: str
    count: bool = False
    columns: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()
    start: int = 1
    limit: int | None = None


def parse(statement: str) -> Query:
    """The statement's meaning. Fault 4000 names the token where parsing stopped."""
    return _Parser(_tokens(statement)).statement()


def _tokens(statement: str) -> list[Token]:
    found = []
    for match in _TOKEN.finditer(statement.rstrip().rstrip(";")):
        kind = match.lastgroup or "BAD"
        found.append(Token(kind, match.group(kind), match.start(kind) + 1))
    return [*found, Token("EOF", "", len(statement) + 1)]


def refusal(token: Token) -> QboFault:
    shown = "<EOF>" if token.kind == "EOF" else f'" <{token.kind}> "{token.text} ""'
    detail = f"QueryParserError: Encountered {shown} at line 1, column {token.column}."
    return faults.fault(4000, "Error parsing query", detail)


class _Parser:
    """Recursive descent over the tokens; keywords are told apart by position, without case."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._next
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def _is(self, *words: str) -> bool:
        return self._next.kind != "STRING" and self._next.text.upper() in words

    def _accept(self, *words: str) -> bool:
        if not self._is(*words):
            return False
        self._take()
        return True

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            raise refusal(self._next)

    def _identifier(self) -> str:
        if self._next.kind != "IDENTIFIER":
            raise refusal(self._next)
        return self._take().text

    def statement(self) -> Query:
        self._expect("SELECT")
        count, columns = self._columns()
        self._expect("FROM")
        entity = self._identifier()
        conditions = self._conditions() if self._accept("WHERE") else ()
        order = self._order()
        start, limit = self._page()
        if self._next.kind != "EOF":
            raise refusal(self._next)
        return Query(entity, count, columns, conditions, order, start, limit)

    def _columns(self) -> tuple[bool, tuple[str, ...]]:
        if self._is("COUNT") and self._tokens[self._at + 1].text == "(":
            for word in ("COUNT", "(", "*", ")"):
                self._expect(word)
            return True, ()
        columns = [self._column()]
        while self._accept(","):
            columns.append(self._column())
        return False, tuple(columns)

    def _column(self) -> str:
        return self._take().text if self._is("*") else self._identifier()

    def _conditions(self) -> tuple[Condition, ...]:
        found = [self._condition()]
        while self._accept("AND"):
            found.append(self._condition())
        return tuple(found)

    def _condition(self) -> Condition:
        prop = self._identifier()
        if self._accept("IN"):
            return Condition(prop, "IN", self._values())
        if self._accept("LIKE"):
            return Condition(prop, "LIKE", (self._value(),))
        if not self._is("=", "<", ">", "<=", ">="):
            raise refusal(self._next)
        return Condition(prop, self._take().text, (self._value(),))

    def _values(self) -> tuple[Value, ...]:
        self._expect("(")
        found = [self._value()]
        while self._accept(","):
            found.append(self._value())
        self._expect(")")
        return tuple(found)

    def _value(self) -> Value:
        token = self._next
        if token.kind == "STRING":
            return _ESCAPE.sub(r"\1", self._take().text[1:-1])
        if token.kind == "NUMBER":
            return Decimal(self._take().text)
        if self._is("TRUE", "FALSE"):
            return self._take().text.upper() == "TRUE"
        if self._accept("CURRENT_DATE"):
            return "CURRENT_DATE"
        raise refusal(token)

    def _order(self) -> tuple[tuple[str, bool], ...]:
        """Property and whether it descends."""
        if self._accept("ORDER"):
            self._expect("BY")
        elif not self._accept("ORDERBY"):
            return ()
        found = [self._sorting()]
        while self._accept(","):
            found.append(self._sorting())
        return tuple(found)

    def _sorting(self) -> tuple[str, bool]:
        prop = self._identifier()
        down = self._accept("DESC")
        if not down:
            self._accept("ASC")
        return prop, down

    def _page(self) -> tuple[int, int | None]:
        start, limit = 1, None
        while self._is("STARTPOSITION", "MAXRESULTS"):
            word = self._take().text.upper()
            if self._next.kind != "NUMBER":
                raise refusal(self._next)
            number = int(Decimal(self._take().text))
            start, limit = (number, limit) if word == "STARTPOSITION" else (start, number)
        return start, limit
