"""A form made from a run's spec: its labels, units, bounds and help, and the paper's default beside ours.

Numbers are typed as text, so that 6e-5 reads as it is meant and a wrong value is refused here, at its field, with the
reason, instead of being silently moved to the nearest bound.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, get_args, get_origin

import streamlit as st
from pydantic import TypeAdapter, ValidationError

from beear_core.specs.parsing import fields
from pages.parts.skeleton import plain

PER_ROW = 3


def settings_form(
    spec_class: type[Any],
    *,
    first: Sequence[str],
    more: Sequence[str] = (),
    key: str,
    values: Mapping[str, Any] = {},
) -> dict[str, Any] | None:
    """Draw the fields `first`, and `more` folded under "More"; None while one of them is refused.

    Names are dotted, `entrapment.n`; so are the keys of the answer, for `beear_core.specs.parsing.with_values`.
    `values` stand in place of the spec's defaults. The fields are part of the page's link, as `<key>.<name>`.
    """
    known = dict(fields(spec_class))
    names = {name: _key(key, name, [*first, *more]) for name in (*first, *more)}
    found: dict[str, Any] = {}
    refused = _rows(first, names, known, values, found)
    if more:
        touched = [name for name in more if names[name] in st.query_params]
        with st.expander("More settings", expanded=bool(touched)):
            refused += _rows(more, names, known, values, found)
    return None if refused else found


def read_value(info: Any, text: str) -> Any:
    """The value that `text` means for a field. Raises ValueError with the reason, in words for a person."""
    try:
        return _adapter(info).validate_python(_raw(info.annotation, text))
    except ValidationError:
        raise ValueError(f"{_expected(info)}; not {text.strip() or 'nothing'!r}.") from None


def written(value: Any) -> str:
    """A value as it is typed: `6e-05`, `0.5, 0.7`, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return ", ".join(written(one) for one in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _rows(
    names: Sequence[str],
    keys: Mapping[str, str],
    known: Mapping[str, Any],
    values: Mapping[str, Any],
    found: dict[str, Any],
) -> int:
    refused = 0
    for start in range(0, len(names), PER_ROW):
        for place, name in zip(st.columns(PER_ROW), names[start : start + PER_ROW], strict=False):
            with place:
                refused += not _field(name, keys[name], known[name], values, found)
    return refused


def _field(name: str, key: str, info: Any, values: Mapping[str, Any], found: dict[str, Any]) -> bool:
    default = values.get(name, None if info.is_required() else info.get_default(call_default_factory=True))
    options = _options(info.annotation)
    label, help_text = _label(info, name), _help(info)
    if info.annotation is bool:
        _follow(key, bool(default))
        found[name] = st.toggle(label, value=bool(default), key=key, help=help_text, bind="query-params")
        return True
    if options:
        _follow(key, default)
        at = options.index(default) if default in options else 0
        found[name] = st.selectbox(label, options, index=at, key=key, help=help_text, bind="query-params")
        return True
    text = written(default)
    _follow(key, text)
    typed = st.text_input(label, value=text, key=key, help=help_text, bind="query-params")
    try:
        found[name] = read_value(info, typed)
    except ValueError as error:
        st.caption(f":red[:material/error: {plain(str(error))}]")
        return False
    return True


def _follow(key: str, default: Any) -> None:
    """Let an untouched field follow its default when that changes, as with another model in hand."""
    remembered = f"{key}.default"
    before = st.session_state.get(remembered, default)
    if before != default and st.session_state.get(key) == before:
        st.session_state[key] = default
    st.session_state[remembered] = default


def _key(prefix: str, name: str, all_names: Sequence[str]) -> str:
    leaf = name.rsplit(".", 1)[-1]
    alone = sum(other.rsplit(".", 1)[-1] == leaf for other in all_names) == 1
    return f"{prefix}.{leaf if alone else name}"


def _label(info: Any, name: str) -> str:
    title = info.title or name.rsplit(".", 1)[-1].replace("_", " ")
    unit = _extra(info).get("unit")
    return plain(f"{title} ({unit})" if unit else title)


def _help(info: Any) -> str:
    ours = "" if info.is_required() else written(info.get_default(call_default_factory=True))
    notes = [
        f"default: {ours}" if ours else "",
        f"paper: {written(_extra(info)['paper']) or 'none'}" if "paper" in _extra(info) else "",
    ]
    beside = "; ".join(note for note in notes if note)
    return plain(f"{info.description or ''} {beside and f'({beside})'}".strip())


def _extra(info: Any) -> Mapping[str, Any]:
    extra = info.json_schema_extra
    return extra if isinstance(extra, Mapping) else {}


def _options(annotation: Any) -> list[Any]:
    return list(get_args(annotation)) if get_origin(annotation) is Literal else []


def _adapter(info: Any) -> TypeAdapter[Any]:
    kind: Any = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
    return TypeAdapter(kind)


def _raw(annotation: Any, text: str) -> Any:
    text = text.strip()
    if get_origin(annotation) is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if not text and type(None) in get_args(annotation):
        return None
    return text


def _expected(info: Any) -> str:
    """`A whole number from 1 to 64`."""
    core = _core(info.annotation)
    bounds = _bounds([*info.metadata, *_nested(info.annotation)])
    low = next((f"{written(b)}" for a, b in bounds if a == "ge"), None)
    above = next((f"{written(b)}" for a, b in bounds if a == "gt"), None)
    high = next((f"{written(b)}" for a, b in bounds if a == "le"), None)
    below = next((f"{written(b)}" for a, b in bounds if a == "lt"), None)
    parts = []
    if low is not None and high is not None:
        parts.append(f"from {low} to {high}")
    else:
        parts += [f"{low} or more"] if low is not None else []
        parts += [f"above {above}"] if above is not None else []
        parts += [f"at most {high}"] if high is not None else []
        parts += [f"below {below}"] if below is not None else []
    return " ".join([core, ", ".join(parts)]).strip()


def _core(annotation: Any) -> str:
    if annotation is int:
        return "A whole number"
    if annotation is float:
        return "A number"
    if get_origin(annotation) is tuple:
        inner = get_args(annotation)[0]
        return "Numbers with commas between" if inner in (int, float) else "Words with commas between"
    arguments = [one for one in get_args(annotation) if one is not type(None)]
    literals = [value for one in arguments for value in _options(one)]
    if literals:
        return f"{' or '.join(map(str, literals))}, or a whole number"
    return "A text"


def _nested(annotation: Any) -> list[Any]:
    """Metadata inside a union, as in `Literal["auto"] | Annotated[int, Field(ge=1)]`."""
    found: list[Any] = []
    for one in get_args(annotation):
        for extra in getattr(one, "__metadata__", ()):
            found += getattr(extra, "metadata", [extra])
    return found


def _bounds(metadata: Sequence[Any]) -> list[tuple[str, Any]]:
    return [
        (name, getattr(one, name))
        for one in metadata
        for name in ("ge", "gt", "le", "lt")
        if getattr(one, name, None) is not None
    ]
