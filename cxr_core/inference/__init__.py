"""A trained network used: predictions, heat maps, similar cases, figures on other images.

    predictor = Predictor.load(run)
    for prediction in predictor.predict([("a.dcm", Path("a.dcm"))]):
        prediction.shown()                          # without label and probabilities where they are withheld
    metrics, table = evaluate_split(run, "test")
    evaluate_external(run, "other-xrays")
    fit_site(run, "our-xrays", "St. Anna")          # a site profile, for ``runs.profiles.keep``

Each image is read by the gate first, and what is no frontal chest X-ray has no answer. ``neighbours`` and ``seen`` work
on kept vectors and are read without torch; everything else brings it.
"""

from typing import TYPE_CHECKING

from cxr_core.doors import opened

if TYPE_CHECKING:
    from cxr_core.inference.evaluate import evaluate_external as evaluate_external
    from cxr_core.inference.evaluate import evaluate_split as evaluate_split
    from cxr_core.inference.explain import heat_map as heat_map
    from cxr_core.inference.heat import overlay as overlay
    from cxr_core.inference.neighbours import Neighbour as Neighbour
    from cxr_core.inference.neighbours import Neighbours as Neighbours
    from cxr_core.inference.predictor import Prediction as Prediction
    from cxr_core.inference.predictor import Predictor as Predictor
    from cxr_core.inference.site import fit_site as fit_site
    from cxr_core.inference.trained import Trained as Trained
    from cxr_core.inference.where import looked as looked
else:
    __getattr__ = opened(
        __name__,
        {
            "evaluate": ("evaluate_external", "evaluate_split"),
            "explain": ("heat_map",),
            "heat": ("overlay",),
            "neighbours": ("Neighbour", "Neighbours"),
            "predictor": ("Prediction", "Predictor"),
            "site": ("fit_site",),
            "trained": ("Trained",),
            "where": ("looked",),
        },
    )
