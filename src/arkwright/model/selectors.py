"""Label selectors as Kubernetes means them. In: a selector and an object's labels. Out: whether it is meant.

An empty selector selects nothing here: no base means "every pod".
"""

from collections.abc import Mapping

from arkwright.model.meta import Value


class Requirement(Value, frozen=True, kw_only=True):
    """One line of matchExpressions. An operator that is not known is met by nothing."""

    key: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()

    def is_met_by(self, labels: Mapping[str, str]) -> bool:
        """A label that is not there meets NotIn, as it does in Kubernetes."""
        answers = {
            "In": self.key in labels and labels[self.key] in self.values,
            "NotIn": labels.get(self.key) not in self.values,
            "Exists": self.key in labels,
            "DoesNotExist": self.key not in labels,
        }
        return answers.get(self.operator, False)


class LabelSelector(Value, frozen=True, kw_only=True):
    """matchLabels and matchExpressions; all of them have to be met."""

    match_labels: dict[str, str] = {}
    match_expressions: tuple[Requirement, ...] = ()

    @property
    def first_label(self) -> tuple[str, str] | None:
        """Whatever is meant has it, so that it can be found by it; None where no label is named.

        >>> LabelSelector(match_labels={"app": "stock", "tier": "web"}).first_label
        ('app', 'stock')
        """
        return next(iter(self.match_labels.items()), None)

    def matches(self, labels: Mapping[str, str]) -> bool:
        if not (self.match_labels or self.match_expressions):
            return False
        has_labels = all(labels.get(key) == value for key, value in self.match_labels.items())
        return has_labels and all(one.is_met_by(labels) for one in self.match_expressions)
