import itertools
import string
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from gbscape.config.features import Concatenate, Features, Representation, expand
from gbscape.config.scattering import Scattering
from gbscape.config.soap import MultiScaleSoap, Soap
from gbscape.features import scattering, soap
from gbscape.features.names import feature_names
from gbscape.features.representation import featurize
from gbscape.structure.bicrystal import build_bicrystal, remove_overlaps

SIGMA_5_TILT = SimpleNamespace(left=[[6, 2, 0], [-2, 6, 0], [0, 0, 2]], right=[[6, -2, 0], [2, 6, 0], [0, 0, 2]])


def representations(**raw):
    return Features.model_validate({"representations": raw}).representations


def slab():
    return remove_overlaps(build_bicrystal(SIGMA_5_TILT, "fcc", 3.52, "Ni", 14.0), 1.8)


def test_default_representations_are_those_of_the_paper():
    defaults = Features().representations
    assert list(defaults) == ["soap", "multi_scale_soap", "st", "soap+st"]
    assert expand(defaults) == defaults
    paper = defaults["soap"]
    assert (paper.n_max, paper.l_max, paper.cutoff_angstrom) == (18, 18, 5.0)
    st = defaults["st"]
    assert (st.spacing_angstrom, st.layers, st.order, st.n_scales, st.n_azimuthal, st.n_polar) == (
        0.25,
        2,
        4,
        16,
        16,
        16,
    )
    assert [scale.cutoff_angstrom for scale in defaults["multi_scale_soap"].single_scales()] == [3.5, 5.0, 7.0]


def test_settings_survive_yaml_and_json():
    original = Features.model_validate(
        {"representations": {"a": {"kind": "soap", "sweep": {"l_max": [6, 9]}}, "b": {"kind": "scattering"}}}
    )
    assert Features.model_validate(original.model_dump(mode="json")) == original
    assert "propertyNames" in Features.model_json_schema()["properties"]["representations"]


def test_sweep_makes_every_combination_in_order():
    swept = representations(
        soap={"kind": "soap", "n_max": 6, "sweep": {"cutoff_angstrom": [5, 4.0], "l_max": [4, 6]}},
        st={"kind": "scattering"},
    )
    expanded = expand(swept)
    assert list(expanded) == [
        "soap~cutoff_angstrom=5.0~l_max=4",
        "soap~cutoff_angstrom=5.0~l_max=6",
        "soap~cutoff_angstrom=4.0~l_max=4",
        "soap~cutoff_angstrom=4.0~l_max=6",
        "st",
    ]
    assert expanded["soap~cutoff_angstrom=4.0~l_max=6"] == Soap(n_max=6, cutoff_angstrom=4.0, l_max=6)
    assert expand(expanded) == expanded


def test_concatenation_of_swept_parts_is_every_combination():
    expanded = expand(
        representations(
            soap={"kind": "soap", "sweep": {"cutoff_angstrom": [4.0, 5.0]}},
            st={"kind": "scattering", "sweep": {"j_max": [1, 2]}},
            both={"kind": "concatenate", "of": ["soap", "st"]},
        )
    )
    joined = {name: its.of for name, its in expanded.items() if isinstance(its, Concatenate)}
    assert joined == {
        f"both~soap.cutoff_angstrom={cutoff}~st.j_max={j}": (f"soap~cutoff_angstrom={cutoff}", f"st~j_max={j}")
        for cutoff, j in itertools.product((4.0, 5.0), (1, 2))
    }
    assert all(part in expanded for parts in joined.values() for part in parts)


@given(
    name=st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_.+-]{0,20}\Z"),
    cutoffs=st.lists(st.floats(1.0, 8.0), min_size=1, max_size=3, unique=True),
    orders=st.lists(st.integers(0, 6), min_size=1, max_size=3, unique=True),
)
def test_names_of_sweeps_are_distinct_and_safe_in_file_names(name, cutoffs, orders):
    raw = {"kind": "soap", "n_max": 4, "sweep": {"cutoff_angstrom": cutoffs, "l_max": orders}}
    expanded = expand(representations(**{name: raw}))
    assert len(expanded) == len(cutoffs) * len(orders)
    safe = set(string.ascii_letters + string.digits + "_.+-~=")
    for key, member in expanded.items():
        assert set(key) <= safe
        assert key == f"{name}~cutoff_angstrom={member.cutoff_angstrom}~l_max={member.l_max}"


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"a/b": {"kind": "soap"}}, "String should match pattern"),
        ({"-a": {"kind": "soap"}}, "String should match pattern"),
        ({"a~l_max=3": {"kind": "soap"}}, "String should match pattern"),
        ({}, "at least 1 item"),
        ({"a": {"kind": "soup"}}, "'soap', 'multi_scale_soap', 'pooled_soap', 'local_environments', 'scattering', "),
        ({"a": {"kind": "pooled_soap", "statistics": []}}, "at least 1 item"),
        ({"a": {"kind": "pooled_soap", "statistics": ["median"]}}, "'mean', 'standard_deviation', 'skewness'"),
        ({"a": {"kind": "pooled_soap", "statistics": ["mean", "mean"]}}, "each statistic may be named once"),
        ({"a": {"kind": "pooled_soap", "sweep": {"statistics": ["mean"]}}}, "'statistics' cannot be swept"),
        ({"a": {"kind": "pooled_soap", "cutoff_transition_width_angstrom": 6}}, "must be smaller than the cut-off, 5"),
        ({"a": {"kind": "local_environments", "threshold": 0}}, "greater than or equal to 0.005"),
        ({"a": {"n_max": 3}}, "discriminator 'kind'"),
        ({"a": {"kind": "soap", "cut_off": 3}}, r"cut_off\s+Extra inputs are not permitted"),
        ({"a": {"kind": "soap", "cutoff_angstrom": -3}}, r"cutoff_angstrom\s+Input should be greater than 0"),
        ({"a": {"kind": "soap", "cutoff_transition_width_angstrom": 6}}, "must be smaller than the cut-off, 5"),
        (
            {"a": {"kind": "soap", "engine": "quippy", "sigma_angstrom": 1.0}},
            "quippy is numerically unstable.*choose a smaller",
        ),
        (
            {"a": {"kind": "soap", "sweep": {"cutoff": [3]}}},
            r"a\.sweep: 'cutoff' cannot be swept; 'soap' allows \['n_max'",
        ),
        ({"a": {"kind": "soap", "sweep": {"kind": ["soap"]}}}, "'kind' cannot be swept"),
        ({"a": {"kind": "soap", "sweep": {"l_max": [-1]}}}, r"a\.sweep: .*'l_max': -1.* greater than or equal to 0"),
        ({"a": {"kind": "soap", "sweep": {"l_max": [6, 6]}}}, "given twice"),
        ({"a": {"kind": "soap", "sweep": {"cutoff_angstrom": [4, 4.0]}}}, "given twice"),
        ({"a": {"kind": "soap", "sweep": {"l_max": []}}}, "at least 1 item"),
        (
            {"a": {"kind": "soap", "engine": "quippy", "averaging": "coefficients"}},
            "quippy averages coefficients over whole structures",
        ),
        (
            {"a": {"kind": "soap", "engine": "quippy", "sweep": {"sigma_angstrom": [0.5, 1.0]}}},
            r"a\.sweep: .*1\.0.* quippy is numerically",
        ),
        ({"a": {"kind": "soap", "averaging": "none"}}, "'spectra' or 'coefficients'"),
        ({"a": {"kind": "scattering", "sweep": {"integral_powers": [1]}}}, "'integral_powers' cannot be swept"),
        ({"a": {"kind": "scattering", "integral_powers": [1, 0.5]}}, "smallest first"),
        ({"a": {"kind": "scattering", "integral_powers": []}}, "at least 1 item"),
        ({"a": {"kind": "scattering", "spacing_angstrom": 0.6}}, "too coarse for atom_width_angstrom"),
        (
            {"a": {"kind": "multi_scale_soap", "scales": [{"cutoff_angstrom": 5, "sigma_angstrom": 0.5}]}},
            "at least two scales",
        ),
        (
            {
                "a": {
                    "kind": "multi_scale_soap",
                    "scales": [
                        {"cutoff_angstrom": 4, "sigma_angstrom": 0.5},
                        {"cutoff_angstrom": 5, "sigma_angstrom": 0.4},
                    ],
                }
            },
            "must both grow",
        ),
        (
            {"a": {"kind": "multi_scale_soap", "engine": "quippy", "n_max": 24, "l_max": 24}},
            "quippy is numerically unstable",
        ),
        (
            {"a": {"kind": "soap"}, "b": {"kind": "concatenate", "of": ["a", "c"]}},
            r"b\.of: 'c' is not one of .* \['a'\]; if it was set to null, set b to null too, or give its `of` anew",
        ),
        ({"a": {"kind": "soap"}, "b": {"kind": "concatenate", "of": ["a", "a"]}}, "may be named once"),
        ({"a": {"kind": "soap"}, "b": {"kind": "concatenate", "of": ["a"]}}, "at least 2 items"),
        (
            {
                "a": {"kind": "soap"},
                "b": {"kind": "scattering"},
                "c": {"kind": "concatenate", "of": ["a", "b"]},
                "d": {"kind": "concatenate", "of": ["a", "c"]},
            },
            r"d\.of: 'c' is not one of",
        ),
    ],
)
def test_impossible_settings_are_refused_by_name(raw, message):
    with pytest.raises(ValidationError, match=f"(?s){message}"):
        representations(**raw)


def test_a_sweep_makes_no_name_too_long_for_a_file():
    def longest(joined):
        swept = {"kind": "soap", "n_max": 6, "sweep": {"cutoff_angstrom": [4.0], "l_max": [5]}}
        concatenation = {"kind": "concatenate", "of": ["a" * 60, "st"]}
        raw = {"a" * 60: swept, "st": {"kind": "scattering"}, joined: concatenation}
        return max(len(name) for name in expand(representations(**raw)))

    assert longest("b" * 50) == 200
    with pytest.raises(ValidationError, match=r"representations\.b{51}: .* of 201 characters; .* at most 200 are"):
        longest("b" * 51)


SMALL = {
    "soap": Soap(n_max=4, l_max=3, cutoff_angstrom=4.0),
    "multi": MultiScaleSoap.model_validate(
        {
            "n_max": 4,
            "l_max": 3,
            "scales": [
                {"cutoff_angstrom": 3.0, "sigma_angstrom": 0.3},
                {"cutoff_angstrom": 4.0, "sigma_angstrom": 0.5},
            ],
        }
    ),
    "st": Scattering(j_max=1, l_max=2),
}


def test_vectors_are_those_of_their_representation_and_have_a_name_for_each_feature():
    atoms = slab()
    mask = np.abs(atoms.positions[:, 0]) < 4
    vectors = {name: featurize(atoms, mask, representation) for name, representation in SMALL.items()}
    one_by_one = SMALL["soap"].parameters().model_copy(update={"averaging": "none"})
    per_atom = soap.power_spectrum(atoms, one_by_one, mask)
    np.testing.assert_allclose(vectors["soap"], sum(per_atom) / mask.sum(), rtol=1e-12)
    narrow, wide = np.split(vectors["multi"], 2)
    np.testing.assert_allclose(wide, vectors["soap"], rtol=1e-12)  # the same settings
    assert np.abs(narrow - wide).max() > 1e-2
    np.testing.assert_array_equal(vectors["st"], scattering.boundary_scattering(atoms, mask, SMALL["st"]))

    for name, representation in SMALL.items():
        names = feature_names(representation)
        assert vectors[name].shape == (len(names),)
        assert len(set(names)) == len(names)
        assert np.isfinite(vectors[name]).all()
    assert feature_names(SMALL["soap"])[0] == "p[1,1,l=0]"
    assert feature_names(SMALL["multi"])[0] == "rc=3/p[1,1,l=0]"
    assert feature_names(SMALL["st"])[0] == "S0[q=0.5]"


def test_lengths_of_the_default_vectors():
    defaults = Features().representations
    lengths = {name: len(feature_names(its)) for name, its in defaults.items() if not isinstance(its, Concatenate)}
    assert lengths == {"soap": 3250, "multi_scale_soap": 3 * 1015, "st": 65_568}


def test_what_cannot_be_featurized_is_refused():
    atoms = slab()
    mask = np.abs(atoms.positions[:, 0]) < 4
    with pytest.raises(ValueError, match="made from the vectors of its parts, soap, st"):
        featurize(atoms, mask, Concatenate(of=("soap", "st")))
    with pytest.raises(ValueError, match="sweep over l_max must be expanded first"):
        featurize(atoms, mask, Soap(sweep={"l_max": [3]}))
    with pytest.raises(ValueError, match="holds no atom"):
        featurize(atoms, mask & False, SMALL["soap"])
    with pytest.raises(ValueError, match="names of its parts, soap, st"):
        feature_names(Concatenate(of=("soap", "st")))


@pytest.mark.parametrize("central_weight", [1.0, 0.0])
def test_engines_agree_on_a_boundary(central_weight):
    atoms = slab()
    atoms.rattle(0.05, seed=0)
    mask = np.abs(atoms.positions[:, 0]) < 4
    settings = SMALL["soap"].model_copy(update={"central_weight": central_weight})

    def vector(engine, averaging="spectra"):
        return featurize(atoms, mask, settings.model_copy(update={"engine": engine, "averaging": averaging}))

    np.testing.assert_allclose(vector("native"), vector("quippy"), atol=1e-9)
    np.testing.assert_allclose(vector("torch"), vector("quippy"), atol=1e-9)
    np.testing.assert_allclose(vector("torch", "coefficients"), vector("native", "coefficients"), atol=1e-9)
    assert np.abs(vector("native", "coefficients") - vector("native")).max() > 1e-3


def test_every_kind_has_a_schema_with_units_described():
    schema = TypeAdapter(Representation).json_schema()
    kinds = {"soap", "multi_scale_soap", "pooled_soap", "local_environments", "scattering", "oriented_scattering"}
    assert set(schema["discriminator"]["mapping"]) == kinds | {"concatenate"}
    for definition in schema["$defs"].values():
        for key, field in definition["properties"].items():
            assert key == "kind" or field.get("description"), key
