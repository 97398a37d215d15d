"""Choose the entry that an undo takes back: one rule for the console and the command line. Pure.

An undo and what it undid cancel each other, so undoing twice walks back and does not flip. A redo (the undo
of an undo) is a change again and can be taken back like one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from lambdatop.domain.errors import TargetNotFound, UsageError
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.plans.journal import Entry, joined
from lambdatop.domain.plans.unfinished import plan_of


def newest_undoable(entries: Sequence[Entry], concerns: Callable[[Entry], bool]) -> Entry | None:
    """Return newest change that can be undone among the entries that `concerns` accepts, None without one."""
    return next((e for e in reversed(entries) if e.can_undo and not e.takes_back and concerns(e)), None)


def on_top(entries: Sequence[Entry], entry: Entry) -> Entry | None:
    """Return the newest standing change of the same fields of the same target that was made after `entry`.

    An undo does not count: it removed the change.
    """
    for later in reversed(entries):
        if later.id == entry.id:
            return None
        same = later.target == entry.target and set(later.after) & set(entry.after)
        if same and (later.outcome == "applied" or later.accepted) and not later.takes_back:
            return later
    return None


def find_entry(entries: Sequence[Entry], scope: Scope, wanted: str | None) -> Entry:
    """Return the entry that an undo of `wanted` takes back.

    `wanted` is an entry's id or the beginning of one, or a name of the target (as AWS or as the user called
    it), or None for the newest change of `scope`. A name stands for one target, or for all steps of one plan,
    the last one first: what else was changed under the same name is never undone in its place.

    Raises:
        TargetNotFound: there is no such entry, nothing to undo, or more than one meant; with the candidates.
        UsageError: what is meant belongs to another account or region.
    """
    if wanted is None:
        found = newest_undoable(entries, lambda e: e.target.scope == scope)
        if found is None:
            raise TargetNotFound(f"There is nothing to undo in {scope}; see `lambdatop journal`.")
        return found
    exact = next((e for e in entries if e.id == wanted), None)
    if exact is not None:
        return exact
    begins = [e for e in entries if wanted and e.id.startswith(wanted)]
    named = [e for e in entries if wanted in e.names]
    if begins and named:
        ids = tuple(dict.fromkeys(e.id for e in (*begins, *_undoable(named, scope))))
        raise TargetNotFound(f"{wanted!r} is a target's name and begins the id of an entry.", ids)
    if named:
        return _of_name(named, scope, wanted)
    if len(begins) == 1:
        return begins[0]
    if begins:
        raise TargetNotFound(f"Several journal entries begin with {wanted!r}.", tuple(e.id for e in begins))
    raise TargetNotFound(f"The journal has no entry {wanted!r}; see `lambdatop journal`.")


def _of_name(named: Sequence[Entry], scope: Scope, name: str) -> Entry:
    here = [e for e in named if e.target.scope == scope]
    if not here:
        where = ", ".join(sorted({str(e.target.scope) for e in named}))
        raise UsageError(
            f"{name} belongs to {where}, the connection is to {scope}. Choose it with --profile and --region."
        )
    found = _undoable(here, scope)
    if len({_whole(e) for e in found}) > 1:
        raise TargetNotFound(
            f"Several things were changed under the name {name!r}: name one entry by its id.",
            tuple(f"{e.id}  {e.mitigation} of {e.label or e.target.id}" for e in found),
        )
    newest = max(found, key=here.index, default=None)
    own = [e for e in here if name in _own_names(e)]
    meant = {e.target for e in own} | {_whole(e) for e in own}
    if newest is None or (own and newest.target not in meant and _whole(newest) not in meant):
        others = tuple(f"{e.id}  {e.mitigation} of {e.label or e.target.id}" for e in found)
        also = " Under the same name this was changed; undo it by its id:" if others else ""
        raise TargetNotFound(f"There is nothing to undo of {name}; see `lambdatop journal`.{also}", others)
    return newest


def _whole(entry: Entry) -> Key | str:
    """Return what was changed together with this entry: the plan of a step, else its target."""
    return plan_of(entry) if entry.steps else entry.target


def _undoable(entries: Sequence[Entry], scope: Scope) -> list[Entry]:
    """Return the newest change that can be undone of each target, in the order of their first changes."""
    targets = dict.fromkeys(e.target for e in entries if e.target.scope == scope)
    found = (newest_undoable(entries, _of(target)) for target in targets)
    return [e for e in found if e is not None]


def _of(target: Key) -> Callable[[Entry], bool]:
    return lambda entry: entry.target == target


def find_also_in_archives(
    entries: Sequence[Entry],
    older: Callable[[], Iterator[tuple[Entry, ...]]],
    scope: Scope,
    wanted: str | None,
) -> tuple[Sequence[Entry], Entry]:
    """Return the same as `find_entry`, also from archives: the entries read, and the entry.

    No more archives are read than needed: none for an id or a name that AWS gave, all for the beginning of an
    id and for what the user called a target, because these may mean something else further back.

    Raises:
        TargetNotFound, UsageError: as `find_entry`.
        LambdatopError: an archive that would have to be read is missing or damaged.
    """
    archives: Iterator[tuple[Entry, ...]] | None = None
    while True:
        try:
            found: Entry | TargetNotFound = find_entry(entries, scope, wanted)
        except TargetNotFound as error:
            found = error  # an archive may hold exactly what is meant
        if isinstance(found, Entry) and (wanted is None or wanted in (found.id, *_own_names(found))):
            return entries, found
        archives = older() if archives is None else archives
        batch = next(archives, None)
        if batch is not None:
            entries = joined(batch, entries)
        elif isinstance(found, Entry):
            return entries, found
        else:
            raise found


def _own_names(entry: Entry) -> tuple[str, ...]:
    """Return the names that AWS and the screen use for the target."""
    return (entry.target.id, entry.arn, entry.label)
