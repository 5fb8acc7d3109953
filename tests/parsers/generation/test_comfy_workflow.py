"""The editor's file gives the same record as the graph that the server ran."""

from typing import Any

from indexer.parsers.generation.comfy_workflow import prompt_of_workflow
from tests.parsers.generation.graphs import models, node, read

Links = list[list[Any]]


def editor(
    id_: int | str, type_: str, values: Any = (), links: dict[str, int] | None = None, **more: Any
) -> dict[str, Any]:
    inputs = [{"name": name, "type": name.upper(), "link": link} for name, link in (links or {}).items()]
    values = list(values) if isinstance(values, tuple) else values
    return {"id": id_, "type": type_, "mode": 0, "inputs": inputs, "widgets_values": values, **more}


def workflow(
    *more: dict[str, Any], model: int = 1, links: Links | None = None, **extra: Any
) -> dict[str, Any]:
    """The default graph, with the sampler's model from link number ``model``."""
    nodes = [
        editor(
            3,
            "KSampler",
            (7, "randomize", 20, 8, "euler", "normal", 1),
            {"model": model, "positive": 2, "negative": 3, "latent_image": 4},
        ),
        editor(4, "CheckpointLoaderSimple", ("base.safetensors",)),
        editor(5, "EmptyLatentImage", (512, 768, 1)),
        editor(6, "CLIPTextEncode", ("a harbour",), {"clip": 5}),
        editor(7, "CLIPTextEncode", ("fog",), {"clip": 6}),
        editor(8, "VAEDecode", (), {"samples": 7, "vae": 8}),
        editor(9, "SaveImage", ("ComfyUI",), {"images": 9}),
        *more,
    ]
    basic: Links = [
        [1, 4, 0, 3, 0, "MODEL"],
        [2, 6, 0, 3, 1, "CONDITIONING"],
        [3, 7, 0, 3, 2, "CONDITIONING"],
        [4, 5, 0, 3, 3, "LATENT"],
        [5, 4, 1, 6, 0, "CLIP"],
        [6, 4, 1, 7, 0, "CLIP"],
        [7, 3, 0, 8, 0, "LATENT"],
        [8, 4, 2, 8, 1, "VAE"],
        [9, 8, 0, 9, 0, "IMAGE"],
    ]
    return {"nodes": nodes, "links": basic + (links or []), "version": 0.4, **extra}


def test_values_are_named_as_the_server_names_them() -> None:
    prompt = prompt_of_workflow(workflow())
    assert prompt["3"] == node(
        "KSampler",
        seed=7,
        steps=20,
        cfg=8,
        sampler_name="euler",
        scheduler="normal",
        denoise=1,
        model=["4", 0],
        positive=["6", 0],
        negative=["7", 0],
        latent_image=["5", 0],
    )
    made = read({"workflow": workflow()})
    assert (made.prompt, made.negative_prompt, made.seed, made.width) == ("a harbour", "fog", "7", 512)
    assert models(made) == {("checkpoint", "base.safetensors", None)}


def test_names_of_values_in_the_file_come_first() -> None:
    named = editor(6, "SomeEncoder", ("x", "a harbour"), {"clip": 5})
    named["inputs"] += [{"name": name, "widget": {"name": name}, "link": None} for name in ("mode", "text")]
    graph = workflow()
    graph["nodes"][3] = named
    assert prompt_of_workflow(graph)["6"]["inputs"] == {"mode": "x", "text": "a harbour", "clip": ["4", 1]}


def test_reroutes_primitives_and_set_get_pairs_are_resolved() -> None:
    graph = workflow(
        editor(20, "Reroute", (), {"": 21}),
        editor(21, "SetNode", ("M",), {"MODEL": 22}),
        editor(22, "GetNode", ("M",)),
        editor(23, "PrimitiveNode", ("from far", "fixed")),
        model=20,
        links=[
            [20, 20, 0, 3, 0, "MODEL"],
            [21, 22, 0, 20, 0, "MODEL"],
            [22, 4, 0, 21, 0, "MODEL"],
            [23, 23, 0, 6, 1, "STRING"],
        ],
    )
    graph["nodes"][3]["inputs"].append(
        {"name": "text", "type": "STRING", "link": 23, "widget": {"name": "text"}}
    )
    prompt = prompt_of_workflow(graph)
    assert prompt["3"]["inputs"]["model"] == ["4", 0]
    assert prompt["6"]["inputs"]["text"] == "from far"
    assert not {"20", "21", "22", "23"} & prompt.keys()


def test_bypassed_nodes_hand_on_and_muted_ones_cut() -> None:
    lora = editor(20, "LoraLoader", ("off.safetensors", 1, 1), {"model": 21, "clip": 22})
    lora["inputs"][0]["type"], lora["inputs"][1]["type"] = "MODEL", "CLIP"
    links: Links = [[20, 20, 0, 3, 0, "MODEL"], [21, 4, 0, 20, 0, "MODEL"], [22, 4, 1, 20, 1, "CLIP"]]
    bypassed = prompt_of_workflow(workflow(lora | {"mode": 4}, model=20, links=links))
    assert bypassed["3"]["inputs"]["model"] == ["4", 0]
    muted = prompt_of_workflow(workflow(lora | {"mode": 2}, model=20, links=links))
    assert "model" not in muted["3"]["inputs"]
    active = prompt_of_workflow(workflow(lora, model=20, links=links))
    assert active["20"]["inputs"]["lora_name"] == "off.safetensors"


def test_subgraphs_are_opened() -> None:
    inner = {
        "id": "uuid",
        "nodes": [editor(1, "LoraLoaderModelOnly", ("ink.safetensors", 0.5), {"model": 1})],
        "links": [
            {"id": 1, "origin_id": -10, "origin_slot": 0, "target_id": 1, "target_slot": 0, "type": "MODEL"},
            {"id": 2, "origin_id": 1, "origin_slot": 0, "target_id": -20, "target_slot": 0, "type": "MODEL"},
        ],
    }
    graph = workflow(
        editor(20, "uuid", (), {"model": 21}),
        model=20,
        links=[[20, 20, 0, 3, 0, "MODEL"], [21, 4, 0, 20, 0, "MODEL"]],
        definitions={"subgraphs": [inner]},
    )
    prompt = prompt_of_workflow(graph)
    assert prompt["3"]["inputs"]["model"] == ["20:1", 0]
    assert prompt["20:1"]["inputs"]["model"] == ["4", 0]
    assert ("lora", "ink.safetensors", 0.5) in models(read({"workflow": graph}))


def test_group_nodes_are_opened() -> None:
    group = {
        "nodes": [
            {"type": "CheckpointLoaderSimple", "widgets_values": ["inner.safetensors"], "inputs": []},
            {
                "type": "LoraLoaderModelOnly",
                "widgets_values": ["ink.safetensors", 0.5],
                "inputs": [{"name": "model"}],
            },
        ],
        "links": [[0, 0, 1, 0, "MODEL"]],
    }
    graph = workflow(
        editor(20, "workflow>mine", ()),
        model=20,
        links=[[20, 20, 0, 3, 0, "MODEL"]],
        extra={"groupNodes": {"mine": group}},
    )
    prompt = prompt_of_workflow(graph)
    assert prompt["3"]["inputs"]["model"] == ["20:1", 0]
    assert prompt["20:1"]["inputs"]["model"] == ["20:0", 0]


def test_a_subgraph_within_itself_ends() -> None:
    inner = {"id": "uuid", "nodes": [editor(1, "uuid", ()), editor(2, "uuid", ())], "links": []}
    prompt_of_workflow(workflow(editor(20, "uuid", ()), definitions={"subgraphs": [inner]}))


def test_the_servers_graph_comes_before_the_editors() -> None:
    graph = workflow()
    graph["nodes"][3]["widgets_values"] = ["edited afterwards"]
    prompt = prompt_of_workflow(workflow())
    assert read({"workflow": graph, "prompt": prompt}).prompt == "a harbour"
