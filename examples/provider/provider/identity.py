"""Which version this is: read from the archive's own metadata."""

from email.parser import HeaderParser
from pathlib import Path

_metadata = next(Path(__file__).parents[1].glob("*.dist-info/METADATA"))
VERSION = HeaderParser().parsestr(_metadata.read_text())["Version"]
