"""A stack as nodes of ComfyUI, loaders wired: base, encoders and VAE, adapters, prompts, sampler, picture."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from search.stack_recipe import Ingredient, Recipe
from search.stack_table import NodeRow, node_row

__all__ = ["Graph", "Node", "Out", "graph_of"]

_CLIP_LOADERS = ("CLIPLoader", "DualCLIPLoader", "TripleCLIPLoader", "QuadrupleCLIPLoader")
_CONTROLS = frozenset(("controlnet", "t2i_adapter"))


class Out(NamedTuple):
    """Output ``slot`` of a node."""

    node: int
    slot: int = 0


@dataclass(frozen=True, slots=True)
class Node:
    """A node of ComfyUI: ``values`` by the editor's order, ``links`` by the name of the input."""

    id: int
    row: NodeRow
    values: Mapping[str, Any]
    links: Mapping[str, Out]
    title: str


@dataclass(slots=True)
class Graph:
    """Nodes in an order in which each comes after those that feed it."""

    nodes: list[Node] = field(default_factory=list)

    def add(self, class_type: str, title: str = "", **inputs: Any) -> Out:
        """The first output of a new node; inputs that are outputs of others become links."""
        row = node_row(class_type)
        links = {name: value for name, value in inputs.items() if isinstance(value, Out)}
        values = {name: inputs[name] for name in row.widgets}
        assert links.keys() | set(row.optional) >= {name for name, _ in row.inputs}, class_type
        self.nodes.append(Node(len(self.nodes) + 1, row, values, links, title))
        return Out(len(self.nodes))


def graph_of(recipe: Recipe) -> Graph:
    """The graph of a recipe; what is in it has a file."""
    graph, settings = Graph(), recipe.settings
    model, clip, vae = _loaded(graph, recipe)
    model, clip = _patched(graph, recipe, model, clip)
    positive = graph.add("CLIPTextEncode", "Prompt", clip=clip, text=recipe.positive)
    negative = graph.add("CLIPTextEncode", "Negative prompt", clip=clip, text=recipe.negative)
    if settings.guidance is not None:
        positive = graph.add("FluxGuidance", conditioning=positive, guidance=settings.guidance)
    positive, negative = _controlled(graph, recipe, positive, negative, vae)
    sampled = graph.add(
        "KSampler",
        model=model,
        positive=positive,
        negative=negative,
        latent_image=_latent(graph, recipe, vae),
        seed=0,
        control_after_generate="randomize",
        steps=settings.steps,
        cfg=settings.cfg,
        sampler_name=settings.sampler,
        scheduler=settings.scheduler,
        denoise=1.0,
    )
    image = graph.add("VAEDecode", samples=sampled, vae=vae)
    for addon in _of(recipe, "upscaler"):
        upscaler = graph.add("UpscaleModelLoader", addon.name, model_name=addon.file)
        image = graph.add("ImageUpscaleWithModel", upscale_model=upscaler, image=image)
    _saved(graph, recipe, image)
    return graph


def _of(recipe: Recipe, *kinds: str) -> Iterator[Ingredient]:
    return (addon for addon in recipe.addons if addon.kind in kinds and addon.file)


def _loaded(graph: Graph, recipe: Recipe) -> tuple[Out, Out, Out]:
    """Model, encoders and VAE: the base's own, or of loaders beside it."""
    base = recipe.base
    if base.kind == "checkpoint":
        model = graph.add("CheckpointLoaderSimple", base.name, ckpt_name=base.file)
    elif _is_gguf(base):
        model = graph.add("UnetLoaderGGUF", base.name, unet_name=base.file)
    else:
        model = graph.add("UNETLoader", base.name, unet_name=base.file, weight_dtype="default")
    clip = _encoders(graph, recipe) if recipe.encoders else Out(model.node, 1)
    vae = Out(model.node, 2)
    if recipe.vae is not None:
        vae = graph.add("VAELoader", recipe.vae.name, vae_name=recipe.vae.file)
    return model, clip, vae


def _is_gguf(one: Ingredient) -> bool:
    return (one.file or "").lower().endswith(".gguf")


def _encoders(graph: Graph, recipe: Recipe) -> Out:
    files = [one.file for one in recipe.encoders][: len(_CLIP_LOADERS)]
    row = node_row(_CLIP_LOADERS[len(files) - 1] + ("GGUF" if any(map(_is_gguf, recipe.encoders)) else ""))
    names = [name for name in row.widgets if name.startswith("clip_name")]
    values = dict(zip(names, files, strict=True)) | {"type": recipe.clip, "device": "default"}
    return graph.add(row.id, "Text encoders", **{name: values[name] for name in row.widgets})


def _patched(graph: Graph, recipe: Recipe, model: Out, clip: Out) -> tuple[Out, Out]:
    """Model and encoders behind the chain of adapters."""
    for addon in _of(recipe, "lora", "hypernetwork"):
        if addon.kind == "hypernetwork":
            model = graph.add(
                "HypernetworkLoader",
                addon.name,
                model=model,
                hypernetwork_name=addon.file,
                strength=addon.weight,
            )
        elif addon.encoders:
            model = graph.add(
                "LoraLoader",
                addon.name,
                model=model,
                clip=clip,
                lora_name=addon.file,
                strength_model=addon.weight,
                strength_clip=addon.weight,
            )
            clip = Out(model.node, 1)
        else:
            model = graph.add(
                "LoraLoaderModelOnly",
                addon.name,
                model=model,
                lora_name=addon.file,
                strength_model=addon.weight,
            )
    return model, clip


def _controlled(graph: Graph, recipe: Recipe, positive: Out, negative: Out, vae: Out) -> tuple[Out, Out]:
    for addon in _of(recipe, *_CONTROLS):
        loader = graph.add("ControlNetLoader", addon.name, control_net_name=addon.file)
        picture = graph.add("LoadImage", f"Picture for {addon.name}", image="example.png", upload="image")
        positive = graph.add(
            "ControlNetApplyAdvanced",
            positive=positive,
            negative=negative,
            control_net=loader,
            image=picture,
            vae=vae,
            strength=addon.weight,
            start_percent=0.0,
            end_percent=1.0,
        )
        negative = Out(positive.node, 1)
    return positive, negative


def _latent(graph: Graph, recipe: Recipe, vae: Out) -> Out:
    settings, row = recipe.settings, node_row(recipe.latent)
    size = {"width": settings.width, "height": settings.height, "length": settings.length, "batch_size": 1}
    inputs: dict[str, Any] = {name: size[name] for name in row.widgets}
    if any(name == "vae" for name, _ in row.inputs):
        inputs["vae"] = vae
    return graph.add(recipe.latent, **inputs)


def _saved(graph: Graph, recipe: Recipe, image: Out) -> None:
    if recipe.settings.fps is None:
        graph.add("SaveImage", images=image, filename_prefix="pinakes")
        return
    graph.add(
        "SaveAnimatedWEBP",
        images=image,
        filename_prefix="pinakes",
        fps=float(recipe.settings.fps),
        lossless=False,
        quality=90,
        method="default",
    )
