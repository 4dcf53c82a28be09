"""Collections: filter, search, order, count, page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote

from .call import Answer, Call
from .entity import Entity
from .matching import Test, compile_filter
from .options import COLLECTION, COUNT, PAGE, Options, check, make_token
from .problems import bad_request
from .render import expanded, facts, fragment, show
from .schema import EntityType
from .wire import Json

Source = Callable[[Options], Iterable[Entity]]


def collection(
    call: Call, type_: EntityType, source: Source, *, plural: str | None = None, mixed: bool = False, cast: bool = False
) -> Answer:
    """Answer a list request. `mixed` lists name the type of each object; `cast` ones came through a type cast."""
    options = call.options(COLLECTION)
    check(options, type_, cast=cast)
    test = _test(options, type_)
    body: Json = {"@odata.context": call.context(fragment(plural or type_.plural, options))}
    if options.count and options.eventual and not options.token:
        body["@odata.count"] = sum(1 for entity in source(options) if test(facts(entity)))
    page, token = _page(options, (entity for entity in source(options) if test(facts(entity))))
    if token:
        body["@odata.nextLink"] = _next_link(call, token)
    body["value"] = [
        {**show(entity, options.select, typed=mixed), **expanded(call, entity, options.expand)} for entity in page
    ]
    return Answer(200, body)


def count(call: Call, type_: EntityType, source: Source) -> Answer:
    """Answer a `/$count` segment with a bare number."""
    options = call.options(COUNT)
    if not options.eventual:
        raise bad_request("$count is not currently supported.")
    test = _test(options, type_)
    return Answer(200, text=str(sum(1 for entity in source(options) if test(facts(entity)))))


def _test(options: Options, type_: EntityType) -> Test:
    tests = [_search_test(*options.search)] if options.search else []
    if options.filter is not None:
        tests.append(compile_filter(options.filter, type_))
    return lambda found: all(test(found) for test in tests)


def _search_test(name: str, text: str) -> Test:
    if name not in ("displayName", "mail", "userPrincipalName", "description"):
        raise bad_request(f"Property '{name}' does not support search.")
    # The index looks for the beginnings of words.
    return lambda found: any(word.startswith(text) for word in _words(str(found.get(name) or "")))


def _words(text: str) -> list[str]:
    return [text.lower(), *text.lower().replace(".", " ").replace("@", " ").split()]


def _page(options: Options, found: Iterable[Entity]) -> tuple[list[Entity], dict[str, int] | None]:
    size = options.top or PAGE
    if options.order:
        ordered = _sorted(list(found), options)
        start = options.token.get("offset", 0)
        more = len(ordered) > start + size
        return ordered[start : start + size], {"offset": start + size} if more else None
    after = options.token.get("after", 0)
    page: list[Entity] = []
    for entity in _beyond(found, after):
        if len(page) == size:
            return page, {"after": page[-1].seq}
        page.append(entity)
    return page, None


def _beyond(found: Iterable[Entity], after: int) -> Iterator[Entity]:
    return (entity for entity in found if entity.seq > after)


def _sorted(entities: list[Entity], options: Options) -> list[Entity]:
    for name, descending in reversed(options.order):
        entities.sort(key=lambda entity: _sort_key(facts(entity).get(name)), reverse=descending)
    return entities


def _sort_key(value: object) -> tuple[bool, str]:
    return (value is not None, str(value).lower() if value is not None else "")


def _next_link(call: Call, token: dict[str, int]) -> str:
    kept = [part for part in call.request.query.split("&") if part and not _is_token(part)]
    query = "&".join([*kept, f"$skiptoken={quote(make_token(token))}"])
    return f"{call.request.root}{call.request.path}?{query}"


def _is_token(part: str) -> bool:
    return part.lower().startswith(("$skiptoken=", "%24skiptoken=", "skiptoken="))
