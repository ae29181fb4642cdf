"""The rows that were not taken, in a file beside the one they came from."""

from __future__ import annotations

import csv
import os
import stat
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from erp_pipelines.domain.errors import PipelineError

# What a file of rejected rows adds; it may be corrected and imported as it is.
OUR_COLUMNS = ("line", "reason")
WRITE_BITS = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True)
class Rejection:
    """A row that was not taken: the line at which it begins, why, and its cells (of JSON: its text) as they stand."""

    line: int
    reason: str
    row: tuple[str, ...]


def rejects_path(file: Path) -> Path:
    """`FILE.rejected.csv` beside the file, or in the working directory where the file's may not be written to."""
    beside = file.with_name(f"{file.name}.rejected.csv")
    return beside if _writable(file.parent) else Path.cwd() / beside.name


def _writable(directory: Path) -> bool:
    """A directory that is marked read-only is left alone by root too."""
    try:
        marked = stat.S_IMODE(directory.stat().st_mode) & WRITE_BITS
    except OSError:
        return False
    return bool(marked) and os.access(directory, os.W_OK)


@dataclass
class RejectsFile:
    """Collects rejections and writes them as they come. A file of an earlier import goes; without rejections none is left.

    Line and reason stand first, so that a row with too many cells shifts nothing.
    """

    path: Path
    header: Sequence[str]
    rejections: list[Rejection] = field(default_factory=list)
    _stack: ExitStack = field(default_factory=ExitStack)
    _writer: Any = None

    def __enter__(self) -> Self:
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unwritable(error) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def written(self) -> Path | None:
        """The file, if there is one."""
        return self.path if self.rejections else None

    def add(self, rejection: Rejection) -> None:
        if self._writer is None:
            self._open()
        self.rejections.append(rejection)
        self._writer.writerow([rejection.line, rejection.reason, *self._without_ours(rejection.row)])

    def _open(self) -> None:
        try:
            stream = self._stack.enter_context(
                self.path.open("w", encoding="utf-8", errors="surrogateescape", newline="")
            )
        except OSError as error:
            raise self._unwritable(error) from None
        self._writer = csv.writer(stream)
        self._writer.writerow([*OUR_COLUMNS, *self._without_ours(self.header)])

    def _without_ours(self, cells: Sequence[str]) -> list[str]:
        """A file of rejected rows that was corrected and imported has our columns already."""
        names = [*self.header, *[""] * len(cells)]
        return [cell for cell, name in zip(cells, names, strict=False) if name not in OUR_COLUMNS]

    def _unwritable(self, error: OSError) -> PipelineError:
        return PipelineError(
            f"{self.path.name} cannot be written: {error.strerror}.",
            mend="Run the import from a directory that can be written to.",
        )
