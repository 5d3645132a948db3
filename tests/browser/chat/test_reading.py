"""Reading a conversation: long ones, whatever an answer is written of, and what must not run."""

import re
from collections.abc import Callable
from uuid import uuid4

import psycopg
from playwright.sync_api import Page, expect

from deploy.ephemeral import Stack
from tests.browser.chat.conftest import HOLIDAY, PATIENCE_MS, SAMPLES, Model, answer, ask, keep
from tests.browser.conftest import Person
from tests.browser.looking import look
from tests.browser.tasks import longest_tasks_ms

OpenPage = Callable[..., Page]
NewPerson = Callable[..., Person]

GUIDE = SAMPLES / "visitor-guide.txt"
LONG_TASK_MS = 50
TRIES = 4
RICH = """## Holiday

A full-time employee has **28 days** of paid holiday a year [1]. Others have it *in proportion* [1][2].

| Who | Days | How it is counted, in a heading that is longer than a phone is wide |
|---|---|---|
| Full-time | 28 | public holidays are not included |
| Seasonal | 2.5 a month | for every full month |

1. Ask in the staff portal
   - by 31 March for July and August
2. Wait for the answer

> Days that are carried over expire on 30 April.

```python
def days(months: float) -> float:
    return 2.5 * months  # for seasonal staff, and this line is longer than a phone is wide, so it scrolls
```

العاملون بدوام كامل لديهم 28 يومًا.

Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft`and_a_name_in_code_without_spaces`"""
CANARY = "<img src=x onerror=window.ran=1><script>window.ran=1</script>"


def test_an_answer_may_be_written_of_anything(open_page: OpenPage, reader: Person, model: Model) -> None:
    model.says = RICH
    page = open_page("/app/chat", reader)
    ask(page, f"{HOLIDAY} {'long' * 60}")
    expect(answer(page).get_by_role("cell", name="2.5 a month")).to_be_visible(timeout=PATIENCE_MS)
    expect(answer(page).get_by_role("heading", level=3, name="Holiday")).to_be_visible()
    expect(answer(page).get_by_role("button", name="Source 1").first).to_be_visible()
    look(page, "chat")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    answer(page).get_by_role("button", name="Copy the code").click()
    assert page.evaluate("navigator.clipboard.readText()").startswith("def days(months")


def test_nothing_of_an_answer_or_a_name_runs(
    open_page: OpenPage, new_person: NewPerson, stack: Stack, model: Model
) -> None:
    person = new_person()
    keep(stack, person, GUIDE, f"{CANARY[:32]}.txt")
    body = {"assistant_key": "canary", "name": CANARY, "greeting": CANARY, "instructions": "Answer."}
    assert stack.client.post("/api/agents", json=body, headers=person.headers).status_code == 201
    model.says = f"It opens at 8:30 [1]. {CANARY} [click](javascript:window.ran=1) ![x](https://evil.example/x)"
    page = open_page("/app/chat", person)
    page.locator("input[aria-label=Assistant]").click()
    page.get_by_role("option", name="<img").click()
    expect(page.get_by_role("heading", level=2, name="<img")).to_be_visible()
    ask(page, f"When does the shop at Larkfield Station open in April? {CANARY}")
    expect(answer(page)).to_contain_text("It opens at 8:30", timeout=PATIENCE_MS)
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    answer(page).get_by_role("button", name="Source 1").first.click()
    expect(page.get_by_role("dialog").locator("mark")).to_contain_text("8:30")
    assert page.locator(":is(article, aside, [role=dialog]) :is(img, script, iframe)").count() == 0
    assert page.evaluate("window.ran") is None


SCROLLED = """async (box) => {
  for (let at = 0; at < 240; at++) {
    box.scrollTop -= 450;
    await new Promise(requestAnimationFrame);
  }
}"""


def test_a_thousand_messages_scroll_without_jank(
    open_page: OpenPage, reader: Person, stack: Stack, record_property: Callable[[str, object], None]
) -> None:
    conversation = said_at_length(stack, reader, 500)
    page = open_page(f"/app/chat/{conversation}", reader)
    longest: list[float] = []
    # What the page itself does too long, it does each time; a busy machine does not.
    while min(longest, default=LONG_TASK_MS) >= LONG_TASK_MS and len(longest) < TRIES:
        page.reload()
        expect(page.get_by_text("Question 499", exact=True)).to_be_visible()
        assert page.get_by_role("article").count() < 20
        page.evaluate("new Promise(requestIdleCallback)")
        with longest_tasks_ms(page) as tasks:
            page.get_by_role("region", name="Conversation", exact=True).evaluate(SCROLLED)
        seen = page.get_by_role("article").first.text_content() or ""
        assert int(re.findall(r"Question (\d+)", seen)[0]) < 450
        longest.append(tasks[0])
    record_property("longest task of a thousand messages", f"{min(longest):.0f} ms")
    assert min(longest) < LONG_TASK_MS, longest


def said_at_length(stack: Stack, person: Person, turns: int) -> str:
    """Keep a conversation of as many turns, and return its id."""
    conversation, tenant = str(uuid4()), person.login["tenant_id"]
    url = stack.runtime()["AURA_DATABASE_URL"].replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("SELECT set_config('app.tenant_id', %s, false)", (tenant,))
        opened = "INSERT INTO conversations (tenant_id, conversation_id, user_id, assistant_key, last_message_at)"
        about = (tenant, conversation, person.login["user_id"])
        database.execute(f"{opened} VALUES (%s, %s, %s, 'default-assistant', now())", about)
        database.execute(
            "INSERT INTO turns (tenant_id, conversation_id, assistant_key, spoken, stage, status, question, answer,"
            " created_at, completed_at, confirmed_at)"
            " SELECT %s, %s, 'default-assistant', false, 'generate', 'completed', 'Question ' || n,"
            " '**Answer** ' || n || repeat(E'. It is long:\\n\\n- one\\n- two\\n\\nand goes on', 1 + n %% 4),"
            " now() - (500 - n) * interval '1 min', now(), now() FROM generate_series(0, %s) AS n",
            (tenant, conversation, turns - 1),
        )
    return conversation
