"""What each expression of a template carries: a message's text, how long it is, how many there are, today's date.

Flow-insensitive: a name carries whatever it is given anywhere. That errs towards carrying, which a look-alike corpus keeps honest.
"""

from enum import Flag, auto

from jinja2 import nodes

from beear_core.intake.templates.grammar import every

_ROUNDS = 8


class Carries(Flag):
    """What may be in a value."""

    NOTHING = 0
    MESSAGES = auto()
    """A conversation, a message, or another structure that holds text."""
    TEXT = auto()
    """What a person or a tool said."""
    SIZE = auto()
    """The length of such text, or a place in it."""
    TURNS = auto()
    """How many messages there are."""
    DATE = auto()


_SOURCES = ("messages", "documents", "conversation", "history")
_SPOKEN = frozenset(("content", "text", "reasoning_content", "reasoning", "thinking", "thoughts", "query"))
_STRUCTURE = frozenset(
    [
        "role",
        "type",
        "name",
        "id",
        "tool_call_id",
        "tool_name",
        "index",
        "image",
        "image_url",
        "image_pil",
        "video",
        "audio",
        "url",
        "keys",
        "author",
        "recipient",
        "channel",
        "function_name",
        "content_type",
        "cache_control",
        "phase",
    ]
)
_COUNTS = frozenset(("length", "count", "wordcount"))
_WRITTEN_OUT = frozenset(
    ("tojson", "string", "pprint", "join", "urlencode", "e", "escape", "format", "xmlattr")
)
_PLACES = frozenset(("find", "rfind", "index", "rindex", "count", "__len__"))


class Flow:
    """Names of one template, and what they carry. `constants` are the texts that a name was given outright."""

    def __init__(self, tree: nodes.Template) -> None:
        self.names: dict[str, Carries] = dict.fromkeys(_SOURCES, Carries.MESSAGES)
        self.constants: dict[str, set[str]] = {}
        found = list(every(tree))
        self._macros = {node.name: node for node in found if isinstance(node, nodes.Macro)}
        for _ in range(_ROUNDS):
            before = dict(self.names)
            for node in found:
                self._learn(node)
            if self.names == before:
                break

    def of(self, node: nodes.Node | None) -> Carries:
        """What the value of an expression carries."""
        match node:
            case nodes.Name():
                return self.names.get(node.name, Carries.NOTHING)
            case nodes.NSRef():
                return self.names.get(f"{node.name}.{node.attr}", Carries.NOTHING)
            case nodes.Getattr():
                return self.part(node.node, node.attr)
            case nodes.Getitem(arg=nodes.Const(value=str(key))):
                return self.part(node.node, key)
            case nodes.Getitem():
                return self.of(node.node) | (self.of(node.arg) & Carries.TEXT)
            case nodes.Filter():
                return self._filtered(node)
            case nodes.Call():
                return self._called(node)
            case nodes.Concat():
                held = self._all(node)
                return held | Carries.TEXT if held & Carries.MESSAGES else held
            case nodes.CondExpr():
                return self.of(node.expr1) | self.of(node.expr2)
            case nodes.Compare() | nodes.Test() | nodes.Not() | nodes.Const() | None:
                return Carries.NOTHING
            case _:
                return self._all(node)

    def texts(self, node: nodes.Node) -> list[str]:
        """Texts that stand in an expression, names followed; keys by which a part is taken do not count."""
        found: list[str] = []
        waiting = [node]
        while waiting:
            one = waiting.pop()
            if isinstance(one, nodes.Const) and isinstance(one.value, str):
                found.append(one.value)
            elif isinstance(one, nodes.Name):
                found += sorted(self.constants.get(one.name, ()))
            elif isinstance(one, nodes.Getattr) and isinstance(one.node, nodes.Name):
                found += sorted(self.constants.get(f"{one.node.name}.{one.attr}", ()))
            elif isinstance(one, nodes.Getitem):
                waiting.append(one.node)
            else:
                waiting += list(one.iter_child_nodes())
        return found

    def _all(self, node: nodes.Node) -> Carries:
        held = Carries.NOTHING
        for child in node.iter_child_nodes():
            held |= self.of(child)
        return held

    def part(self, whole: nodes.Node, key: str) -> Carries:
        """What `whole[key]` carries."""
        if isinstance(whole, nodes.Name) and f"{whole.name}.{key}" in self.names:
            return self.names[f"{whole.name}.{key}"]
        if isinstance(whole, nodes.Name) and whole.name == "loop":
            return Carries.MESSAGES if key in ("previtem", "nextitem") else Carries.NOTHING
        held = self.of(whole)
        if key in _STRUCTURE:
            return held & Carries.DATE
        if held & (Carries.MESSAGES | Carries.TEXT) and key in _SPOKEN:
            return Carries.TEXT
        return held

    def _filtered(self, node: nodes.Filter) -> Carries:
        held = self.of(node.node)
        if node.name in _COUNTS:
            return _size(held)
        if node.name in ("items", "dictsort"):
            return _pairs(held)
        if node.name == "map":
            by = next((one.value for one in node.kwargs if one.key == "attribute"), None)
            if isinstance(by, nodes.Const) and node.node is not None:
                return self.part(node.node, str(by.value).rpartition(".")[2])
        for argument in node.args:
            held |= self.of(argument) & ~Carries.MESSAGES
        if node.name in _WRITTEN_OUT and held & Carries.MESSAGES:
            return held | Carries.TEXT
        return held

    def _called(self, node: nodes.Call) -> Carries:
        given = Carries.NOTHING
        for argument in [*node.args, *(one.value for one in node.kwargs)]:
            given |= self.of(argument)
        if isinstance(node.node, nodes.Name):
            return given | (Carries.DATE if node.node.name == "strftime_now" else Carries.NOTHING)
        if not isinstance(node.node, nodes.Getattr):
            return given | self.of(node.node)
        method, held = node.node.attr, self.of(node.node.node)
        if method in _PLACES:
            return _size(held)
        if method == "get" and node.args and isinstance(node.args[0], nodes.Const):
            return self.part(node.node.node, str(node.args[0].value)) | given
        if method in ("items", "values", "keys"):
            return _pairs(held)
        return held | given

    def _learn(self, node: nodes.Node) -> None:
        match node:
            case nodes.Assign():
                self._give(node.target, node.node)
            case nodes.AssignBlock(target=nodes.Name() as target):
                self._add(target.name, self._written(node.body))
            case nodes.For():
                for name in node.target.find_all(nodes.Name):
                    self._add(name.name, self.of(node.iter))
                if isinstance(node.target, nodes.Name):
                    self._add(node.target.name, self.of(node.iter))
            case nodes.Call(node=nodes.Name() as called) if called.name in self._macros:
                self._pass(self._macros[called.name], node)
            case _:
                pass

    def _give(self, target: nodes.Node, value: nodes.Node) -> None:
        match target:
            case nodes.Name():
                name = target.name
            case nodes.NSRef():
                name = f"{target.name}.{target.attr}"
            case nodes.Tuple() if isinstance(value, nodes.Tuple) and len(target.items) == len(value.items):
                for each, part in zip(target.items, value.items, strict=True):
                    self._give(each, part)
                return
            case _:
                for each in target.find_all(nodes.Name):
                    self._add(each.name, self.of(value))
                return
        if (
            isinstance(value, nodes.Call)
            and isinstance(value.node, nodes.Name)
            and value.node.name == "namespace"
        ):
            for one in value.kwargs:
                self._give(nodes.NSRef(name, one.key), one.value)
            return
        held = self.of(value)
        self._add(name, held)
        if not held:
            self.constants.setdefault(name, set()).update(self.texts(value))

    def _pass(self, macro: nodes.Macro, call: nodes.Call) -> None:
        for target, value in zip(macro.args, call.args, strict=False):
            self._add(target.name, self.of(value))
        for one in call.kwargs:
            self._add(one.key, self.of(one.value))

    def _written(self, body: list[nodes.Node]) -> Carries:
        held = Carries.NOTHING
        for node in body:
            for output in node.find_all(nodes.Output):
                held |= self._all(output)
            if isinstance(node, nodes.Output):
                held |= self._all(node)
        return held

    def _add(self, name: str, held: Carries) -> None:
        self.names[name] = self.names.get(name, Carries.NOTHING) | held


def _pairs(held: Carries) -> Carries:
    # Only a structure has keys: what is taken apart this way is a tool's schema or its arguments.
    return Carries.MESSAGES if held & (Carries.TEXT | Carries.MESSAGES) else Carries.NOTHING


def _size(held: Carries) -> Carries:
    if held & Carries.TEXT:
        return Carries.SIZE
    return Carries.TURNS if held & Carries.MESSAGES else Carries.NOTHING
