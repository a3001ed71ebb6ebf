"""Fit to my hospital on the Evaluate page, and the profile that Predict is asked to use."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cxr_core import demo
from cxr_core.inference.predictor import Predictor
from cxr_core.runs import profiles
from cxr_core.runs.run import Run
from cxr_core.settings import remember_dataset
from tests.pages.support import open_page, sound, texts
from tests.runs.test_profiles import profile
from tests.runs_support import copy_of

PAGE = "pages/5_Evaluate.py"


@pytest.fixture
def run(completed_run: Run, isolated: Path) -> Run:
    return copy_of(completed_run, isolated)


def section(run: Run) -> AppTest:
    at = sound(open_page(PAGE, timeout=60, run=run.id))
    return sound(at.segmented_control(key="section").set_value("Fit to my hospital").run())


def test_from_local_images_to_a_profile_that_is_kept_and_forgotten(run: Run, tmp_path: Path) -> None:
    site = demo.draw(tmp_path / "St Anna", images=72, seed=7)
    remember_dataset(site)
    at = section(run)
    assert "This run has no site profile yet." in texts(at)
    assert at.button(key="site-fit").disabled
    at.selectbox(key="site-data").set_value(str(site)).run()
    at.text_input(key="site-name").set_value("anna").run()
    sound(at.button(key="site-fit").click().run())
    assert profiles.names(run) == []
    assert "On the half that it was not fitted on (" in texts(at)
    assert "anna, not kept yet" in texts(at).replace("*", "")
    sound(at.button(key="site-keep").click().run())
    (note,) = profiles.profiles(run)
    shown = texts(at)
    assert note.sentence in shown
    assert f"Fitted on {note.fit.images} images of {note.fit.patients} patients" in shown
    rules, figures = (table.value for table in at.dataframe)
    assert rules["After"][0] == f"{note.temperature:.3f}"
    assert set(figures["Of"]) == {"All", *run.classes}
    at.checkbox(key="site-sure-anna").check().run()
    sound(at.button(key="site-forget").click().run())
    assert profiles.names(run) == []
    assert "anna was forgotten." in texts(at)


def test_too_few_images_are_one_message(run: Run, hospital: Path) -> None:
    remember_dataset(hospital)
    at = section(run)
    at.selectbox(key="site-data").set_value(str(hospital)).run()
    at.text_input(key="site-name").set_value("few").run()
    at.button(key="site-fit").click().run()
    assert not at.exception
    assert len(at.error) == 1
    assert "Too few images to fit on: 36 images" in texts(at)


def test_a_damaged_profile_is_named_on_the_page(run: Run) -> None:
    profiles.keep(run, profile())
    (run.path / "profiles" / "St. Anna.json").write_text("{}")
    at = section(run)
    assert "expected a site profile" in texts(at)


def test_predict_answers_by_the_profile_that_is_chosen_and_names_it(run: Run, tiny_dataset: Path) -> None:
    content = next((tiny_dataset / "train" / "NORMAL").glob("*.png")).read_bytes()
    at = sound(open_page("pages/6_Predict.py", timeout=60, run=run.id))
    assert not [box for box in at.selectbox if box.label == "Site profile"]
    note = profiles.keep(run, profile(temperature=9.0, better=False, sentence="Nothing got better for certain."))
    at.file_uploader[0].set_value([("a.png", content, "image/png")])
    at = sound(at.run())
    before = texts(at)
    assert "Site profile" not in before
    at = sound(at.selectbox(key=f"profile-{run.id}").set_value(note.name).run())
    shown = texts(at)
    (expected,) = Predictor.load(profiles.using(run, note.name)).predict([("a.png", content)])
    assert at.subheader[0].value.startswith(str(expected.label))
    assert "Site profile St. Anna." in shown
    assert "Site profile St. Anna: Nothing got better for certain." in shown
    assert "temperature 9.000, fitted on the images of the site profile St. Anna" in shown
    # Another page and back: the choice is still there.
    at = sound(at.switch_page(PAGE).run())
    at = sound(at.switch_page("pages/6_Predict.py").run())
    assert at.selectbox(key=f"profile-{run.id}").value == note.name
    at = sound(at.selectbox(key=f"profile-{run.id}").set_value("").run())
    assert "Site profile" not in texts(at)
