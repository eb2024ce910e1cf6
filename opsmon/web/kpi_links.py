"""The addresses of a KPI's page: every view of it has one, so that it can be shared."""

from dataclasses import dataclass
from urllib.parse import quote, urlencode


@dataclass(frozen=True, slots=True)
class Here:
    """The view that was asked for: `at` is a day of the span, '' the present one; `row` None: all rows."""

    kpi_id: str
    label: str
    span: str
    at: str
    step: str
    row: str | None

    def to(self, *, span: str | None = None, at: str | None = None, step: str | None = None) -> str:
        """The same page with something else chosen."""
        chosen = {"span": span or self.span, "at": self.at if at is None else at,
                  "step": self.step if step is None else step}
        return self._address("", chosen, self.row)

    def of_row(self, row: str | None) -> str:
        """The same of one row, or of all."""
        return self._address("", {"span": self.span, "at": self.at, "step": self.step}, row)

    def csv(self, by: str = "") -> str:
        """Where the same is got as CSV, the rows of a dimension apart."""
        chosen = {"span": self.span, "at": self.at, "step": self.step, "by": by}
        return self._address(".csv", chosen, None if by else self.row)

    def _address(self, ending: str, chosen: dict[str, str], row: str | None) -> str:
        query = {name: value for name, value in chosen.items() if value} | ({} if row is None else {"row": row})
        return f"/kpi/{quote(self.kpi_id)}{ending}?{urlencode(query)}"
