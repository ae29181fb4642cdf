"""SuiteQL's text as a tree: what sqlglot reads of Oracle's SQL, less what NetSuite refuses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.oracle import Oracle
from sqlglot.errors import SqlglotError
from sqlglot.parsers.oracle import OracleParser
from sqlglot.tokenizer_core import Token, TokenType

from erp_twins.netsuite.suiteql.model import unsupported

LARGEST_LIST = 1000
_REFUSED_TOKENS = {TokenType.LIMIT, TokenType.L_BRACKET, TokenType.NATIONAL_STRING, TokenType.RAW_STRING}
_OWN_SYNTAX = ("CAST", "EXTRACT", "TRIM")


class _Parser(OracleParser):
    """Leaves functions as they are written: their meaning is `functions.py`'s."""

    FUNCTIONS: ClassVar[dict[str, Any]] = {}
    FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {name: OracleParser.FUNCTION_PARSERS[name] for name in _OWN_SYNTAX}


class _SuiteQL(Oracle):
    Parser = _Parser


def parse(q: str, params: Sequence[str] = ()) -> exp.Query:
    """The tree of one query, with the texts of `params` in the place of its question marks."""
    try:
        tokens = _filled(_SuiteQL().tokenize(q), params)
        statements = _SuiteQL().parser().parse(tokens, q)
    except (SqlglotError, RecursionError) as error:
        raise unsupported() from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise unsupported()
    _check(statements[0])
    return statements[0]


def _filled(tokens: list[Token], params: Sequence[str]) -> list[Token]:
    if any(
        token.token_type in _REFUSED_TOKENS or (token.token_type is TokenType.EQ and token.text != "=")
        for token in tokens
    ):
        raise unsupported()
    marks = [at for at, token in enumerate(tokens) if token.token_type is TokenType.PLACEHOLDER]
    if len(marks) != len(params):
        raise unsupported()
    for at, text in zip(marks, params, strict=True):
        tokens[at] = Token.string(text)
    return tokens


def _check(query: exp.Query) -> None:
    for node in query.walk():
        refused = (
            isinstance(node, exp.With)
            or (isinstance(node, exp.Column) and node.args.get("join_mark"))
            or (isinstance(node, exp.In) and len(node.expressions) > LARGEST_LIST)
            or (isinstance(node, exp.Identifier) and node.quoted and _in_subselect(node, query))
            or (isinstance(node, exp.Select) and _mixes_joins(node))
        )
        if refused:
            raise unsupported()


def _in_subselect(node: exp.Expr, query: exp.Query) -> bool:
    inner: exp.Expr | None = node.find_ancestor(exp.Select)
    while inner is not None and isinstance(inner.parent, exp.SetOperation):
        inner = inner.parent
    return inner is not None and inner is not query


def _mixes_joins(select: exp.Select) -> bool:
    joins = select.args.get("joins") or []
    return len({is_comma(join) for join in joins}) > 1


def is_comma(join: exp.Join) -> bool:
    """Whether a comma joins; sqlglot gives a JOIN that lacks its ON other parts, if empty ones."""
    return join.args.keys() == {"this"}
