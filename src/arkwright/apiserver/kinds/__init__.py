"""What kinds there are, what fields they have and which values are allowed. In: documents. Out: Shapes, defaults, FieldErrors. Pure.

rules            what built-in kinds do beyond being stored, and what they refuse
  registry         the kinds there are, also those that CRDs bring
    builtin          those of Kubernetes that objects are kept of
    absent           those that tools ask for, and that there are none of
      resources        what there is to know of one
        validation       a schema's limits and its CEL rules
        decoding         what fits into the fields of a kind
          fieldsets        sets of fields, as server-side apply has them
            shapes           the fields and types of a kind
            defaults         what a field is that was not said
            selectors        labels and fields that objects are chosen by
            formats          how names, labels, ports and quantities are written
"""

from arkwright.apiserver.kinds.absent import METRICS
from arkwright.apiserver.kinds.decoding import WrongType, decode, misfits
from arkwright.apiserver.kinds.defaults import DEFAULTS, ZERO
from arkwright.apiserver.kinds.registry import CRDS, Registry
from arkwright.apiserver.kinds.resources import Column, Resource
from arkwright.apiserver.kinds.rules import CHECK, FILL, WITH_GENERATION, as_go_writes_it, key_errors, label_errors
from arkwright.apiserver.kinds.selectors import Predicate, field_selector, label_selector, matches
from arkwright.apiserver.kinds.shapes import ANYTHING, OBJECT_META, Shape, add_defaults, definitions
from arkwright.apiserver.kinds.validation import shown

__all__ = [
    "as_go_writes_it",
    "key_errors",
    "label_errors",
    "shown",
    "ANYTHING",
    "CHECK",
    "CRDS",
    "Column",
    "DEFAULTS",
    "METRICS",
    "FILL",
    "OBJECT_META",
    "Predicate",
    "Registry",
    "Resource",
    "Shape",
    "WITH_GENERATION",
    "WrongType",
    "ZERO",
    "add_defaults",
    "decode",
    "definitions",
    "field_selector",
    "label_selector",
    "matches",
    "misfits",
]
