"""What a front end writes into its log, for tests to read."""

import logging


class Lines(logging.Handler):
    """Keeps the lines of a log, as they would be written."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self.lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))
