"""The explorer in a real JupyterLab: find a dataset, look at it, share it, upload another."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

PEOPLE = "email,age,joined\n" + "".join(
    f"user{n}@example.org,{20 + n * n % 50},2024-{n % 12 + 1:02}-01\n" for n in range(200)
)
FOCUSED = "document.activeElement.labels?.[0]?.innerText || document.activeElement.innerText"


def test_from_a_search_to_a_saved_notebook(open_notebook, lab, folder, screenshots):
    """One notebook for all: starting a kernel takes longer than what is done with it."""
    (folder / "data" / "broken.parquet").write_bytes(b"PAR1 not at all")
    notebook = open_notebook("explore.ipynb", "%load_ext bluebear_magic", "%bluebear explore")
    page = notebook.page
    notebook.run(0)
    notebook.run(1)
    output = notebook.output(1)

    a_dataset_is_found_and_its_columns_are_drawn(output)
    sharing_is_chosen(output)
    a_file_is_uploaded(page, output, folder)
    page.screenshot(path=screenshots / "explorer.png", full_page=True)
    the_keyboard_reaches_every_control(page, output)

    choose_dark_theme(page)
    assert contrast(output.locator("td").first) > 7
    assert contrast(output.get_by_role("status")) > 7
    page.screenshot(path=screenshots / "explorer-dark.png", full_page=True)
    page.set_viewport_size({"width": 640, "height": 1300})
    page.keyboard.press("Control+b")  # without the side bar
    page.wait_for_timeout(500)
    page.screenshot(path=screenshots / "explorer-narrow.png", full_page=True)
    nothing_is_cut_off(output)

    notebook.save()
    notebook.shut_down(lab)
    kept = open_notebook("explore.ipynb").output(1)
    kept.locator("table svg").first.wait_for()
    assert "people csv · 200 rows" in kept.inner_text()
    assert "Search" not in kept.inner_text()
    kept.page.screenshot(path=screenshots / "explorer-reopened.png", full_page=True)


def a_dataset_is_found_and_its_columns_are_drawn(output):
    datasets = output.get_by_label("Datasets")
    datasets.wait_for()
    assert "broken cannot be read" in output.inner_text()
    output.get_by_label("Search").fill("quantity")
    output.get_by_text("1 of 2 datasets").wait_for()
    datasets.select_option(index=0)
    picture = output.locator("table svg")
    picture.first.wait_for()
    assert picture.count() == 5
    assert picture.first.locator("path").bounding_box()["width"] > 100


def sharing_is_chosen(output):
    output.get_by_label("A model may see").select_option(index=1)
    output.get_by_text("sales_data from now on").wait_for()
    assert "A model elsewhere may see: profile" in output.locator(".jp-RenderedHTML").inner_text()


def a_file_is_uploaded(page, output, folder):
    with page.expect_file_chooser() as chooser:
        output.get_by_role("button", name="Upload a file").click()
    chooser.value.set_files(
        {"name": "people.csv", "mimeType": "text/csv", "buffer": PEOPLE.encode()}
    )
    output.get_by_text("people is a dataset now.").wait_for()
    assert (folder / "data" / "people.csv").read_text() == PEOPLE
    output.get_by_text("never a value of: email").wait_for()
    assert output.get_by_label("Datasets").locator("option").count() == 3


def the_keyboard_reaches_every_control(page, output):
    output.get_by_label("Search").focus()
    reached = []
    for _ in range(5):
        reached.append(page.evaluate(FOCUSED).strip())
        page.keyboard.press("Tab")
    assert reached == ["Search", "Refresh", "Datasets", "A model may see", "Upload a file (0)"]
    output.get_by_label("Datasets").focus()
    page.keyboard.press("Home")
    output.get_by_text("not a whole Parquet file").first.wait_for()
    output.get_by_label("Search").focus()
    page.keyboard.type("joined")
    output.get_by_text("1 of 3 datasets").wait_for()
    page.keyboard.press("Enter")
    output.get_by_text("never a value of: email").wait_for()


def nothing_is_cut_off(output):
    room = output.bounding_box()
    shown = output.locator(".jp-RenderedHTML").last
    for control in (output.get_by_label("Datasets"), output.get_by_label("A model may see"), shown):
        box = control.bounding_box()
        assert box["x"] + box["width"] <= room["x"] + room["width"] + 1


def choose_dark_theme(page):
    """As a person does."""
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    for label in ("Theme", "JupyterLab Dark"):
        page.locator(".lm-Menu-itemLabel").get_by_text(label, exact=True).click()
    page.wait_for_function("document.body.dataset.jpThemeLight === 'false'")
    page.wait_for_timeout(500)


CONTRAST = r"""element => {
  const light = colour => {
    const parts = colour.match(/[0-9.]+/g).slice(0, 3).map(part => {
      const value = part / 255;
      return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  let behind = element, back;
  do {
    back = getComputedStyle(behind).backgroundColor;
    behind = behind.parentElement;
  } while (behind && /, 0\)$|transparent/.test(back));
  const pair = [light(getComputedStyle(element).color), light(back)].sort((a, b) => b - a);
  return (pair[0] + 0.05) / (pair[1] + 0.05);
}"""


def contrast(locator):
    """Of an element's text to what is behind it, as WCAG 2 reckons it: 1 to 21."""
    return locator.evaluate(CONTRAST)
