"""What measures some rows together."""

import traceback

from table import NotMeasured


class Family:
    """Rows that share servers and histories. A subclass names its rows, prepares once, and measures round by round."""

    rows = ()

    def __init__(self, lab, options, wanted):
        self.lab = lab
        self.options = options
        self.wanted = wanted  # names of rows
        self.broken = False
        self.impossible = {}  # row -> why it cannot be measured here at all
        self.failed = {}  # row -> why it was not measured in the last round

    @classmethod
    def check(cls, options):
        """Raises NotMeasured when nothing of this can be measured here; asked before servers are started."""

    def prepare(self):
        """Whatever all rounds need."""

    @property
    def reasons(self):
        return self.failed | self.impossible

    def round(self):
        """One round: row -> figure -> value. A row that is missing has its reason in `reasons`."""
        raise NotImplementedError

    def each(self, steps):
        """Runs the wanted ones of (row, function): a row that cannot be measured does not stop the next."""
        values = {}
        for row, step in steps:
            if row in self.wanted and row not in self.impossible:
                try:
                    values[row] = step()
                    self.failed.pop(row, None)
                except NotMeasured as problem:
                    self.fail(row, str(problem))
                except Exception as problem:  # something broke; the next row has nothing to do with it
                    traceback.print_exc()
                    self.broken = True
                    self.fail(row, f"broken: {' '.join(str(problem).split())[:200]}")
        return values

    def fail(self, row, reason):
        self.failed[row] = reason
        self.lab.clear()
