"""Dataclasses that cost nothing to define: ``dataclass``, ``field``, ``fields`` and ``replace``.

The standard library's write the source of six methods for each class and compile it, and import
``inspect`` for that: a third of all that was loaded before the first sound. These share one set of
methods. Types are checked as theirs, and ``dataclasses`` itself works with them: ``fields``,
``replace`` and ``asdict``, ``inspect.signature``, too.

What is not needed here is not here: no ``order``, no ``InitVar``, no ``ClassVar``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import asdict, dataclass, field, fields, replace
else:

    class _Missing:
        """No default."""

    class Field:
        """One attribute of a record; ``name`` and ``type`` are known once its class is made."""

        __slots__ = (
            *("name", "type", "default", "default_factory"),
            *("init", "compare", "repr", "metadata"),
        )

        def __init__(
            self, default, default_factory=_Missing, init=True, compare=True, repr=True, metadata=()
        ):
            self.name = self.type = ""
            self.default = default
            self.default_factory = default_factory
            self.init = init
            self.compare = compare
            self.repr = repr
            self.metadata = dict(metadata)

    def field(
        *,
        default=_Missing,
        default_factory=_Missing,
        init=True,
        compare=True,
        repr=True,
        metadata=(),
    ):
        """Describe an attribute that more is to be said of than its default."""
        return Field(default, default_factory, init, compare, repr, metadata)

    def dataclass(*, frozen=False, slots=False, kw_only=False, eq=True):  # noqa: ARG001
        """Make a class a record.

        Args:
            frozen: its attributes cannot be set, and it can be hashed.
            slots: for type checkers alone; instances keep their attributes in a dict.
            kw_only: it is made with names only.
            eq: False: each is equal to itself alone.
        """

        def made(cls):
            known = {}
            for base in cls.__mro__[:0:-1]:
                known.update(getattr(base, "_fields", {}))
            for name, kind in cls.__annotations__.items():  # its own alone
                given = cls.__dict__.get(name, _Missing)
                one = given if isinstance(given, Field) else Field(given)
                one.name, one.type = name, kind
                known[name] = one
                if one.default is not _Missing:
                    setattr(cls, name, one.default)
                elif given is one:
                    delattr(cls, name)
            cls._fields = known
            cls._order = () if kw_only else tuple(it.name for it in known.values() if it.init)
            cls._made_with = {"frozen": frozen, "kw_only": kw_only}
            cls.__dataclass_fields__ = _FIELDS
            cls.__signature__ = _SIGNATURE
            cls.__init__ = _init
            if "__repr__" not in cls.__dict__:
                cls.__repr__ = _repr
            if eq:
                cls.__eq__ = _eq
                cls.__hash__ = _hash if frozen else None
            if frozen:
                cls.__setattr__ = cls.__delattr__ = _refuse
            return cls

        return made

    def _init(self, /, *args, **named):
        known, order = self._fields, self._order
        if len(args) > len(order):
            raise TypeError(f"{type(self).__name__}() takes {len(order)}, got {len(args)}")
        values = dict(zip(order, args, strict=False))
        for name, value in named.items():
            if name in values or name not in known or not known[name].init:
                raise TypeError(f"{type(self).__name__}() cannot take {name!r}")
            values[name] = value
        attributes = self.__dict__
        for name, one in known.items():
            if name in values:
                attributes[name] = values[name]
            elif one.default_factory is not _Missing:
                attributes[name] = one.default_factory()
            elif one.default is not _Missing:
                attributes[name] = one.default
            else:
                raise TypeError(f"{type(self).__name__}() needs {name!r}")
        post_init = getattr(self, "__post_init__", None)
        if post_init is not None:
            post_init()

    def _repr(self):
        shown = (f"{it.name}={getattr(self, it.name)!r}" for it in fields(self) if it.repr)
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def _compared(self):
        return tuple(getattr(self, it.name) for it in self._fields.values() if it.compare)

    def _eq(self, other):
        if type(self) is not type(other):
            return NotImplemented
        return self is other or _compared(self) == _compared(other)

    def _hash(self):
        return hash(_compared(self))

    def _refuse(self, name, *_value):
        raise AttributeError(f"{type(self).__name__}.{name} cannot be changed")

    def fields(record):
        """Return the fields of a record or its class, in order."""
        return tuple(record._fields.values())

    def replace(record, /, **changes):
        """Return the record with other values of some attributes."""
        for it in record._fields.values():
            if it.init and it.name not in changes:
                changes[it.name] = getattr(record, it.name)
        return type(record)(**changes)

    def asdict(record):
        """Return a dict of the record, and of the records within."""
        from dataclasses import asdict as with_inner

        return with_inner(record)

    class _OfTwin:
        """What the standard library's dataclass of the same fields has: made when it is asked
        for."""

        def __init__(self, look):
            self._look = look

        def __get__(self, _record, owner):
            import dataclasses

            missing = dataclasses.MISSING
            spec = [
                (
                    it.name,
                    it.type,
                    dataclasses.field(
                        default=missing if it.default is _Missing else it.default,
                        default_factory=missing
                        if it.default_factory is _Missing
                        else it.default_factory,
                        init=it.init,
                        compare=it.compare,
                        repr=it.repr,
                        metadata=it.metadata,
                    ),
                )
                for it in owner._fields.values()
            ]
            return self._look(dataclasses.make_dataclass(owner.__name__, spec, **owner._made_with))

    def _signature(twin):
        import inspect

        return inspect.signature(twin)

    _FIELDS = _OfTwin(lambda twin: twin.__dataclass_fields__)
    _SIGNATURE = _OfTwin(_signature)

__all__ = ["asdict", "dataclass", "field", "fields", "replace"]
