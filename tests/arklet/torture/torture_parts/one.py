NAME = "a part of a namespace package"
