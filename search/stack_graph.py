"""A stack as nodes of ComfyUI, loaders wired: base, encoders and VAE, adapters, prompts, sampler, picture."""

from typing import Any

from search.stack_guides import controlled, looked_at, seen, styled
from search.stack_nodes import Graph, Out, addons_of
from search.stack_recipe import Ingredient, Recipe
from search.stack_table import node_row

__all__ = ["graph_of"]

_CLIP_LOADERS = ("CLIPLoader", "DualCLIPLoader", "TripleCLIPLoader", "QuadrupleCLIPLoader")


def graph_of(recipe: Recipe) -> Graph:
    """The graph of a recipe; what is in it has a file."""
    graph, settings = Graph(), recipe.settings
    base, clip, vae = _loaded(graph, recipe)
    model, clip = _patched(graph, recipe, base, clip)
    positive = graph.add("CLIPTextEncode", "Prompt", clip=clip, text=recipe.positive)
    negative = graph.add("CLIPTextEncode", "Negative prompt", clip=clip, text=recipe.negative)
    if settings.guidance is not None:
        positive = graph.add("FluxGuidance", conditioning=positive, guidance=settings.guidance)
    if recipe.unclip:
        positive = looked_at(graph, recipe, positive, base)
    positive = styled(graph, recipe, positive)
    positive, negative = controlled(graph, recipe, positive, negative, vae)
    model = _moving(graph, recipe, seen(graph, recipe, model))
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
    for addon in addons_of(recipe, "upscaler"):
        upscaler = graph.add("UpscaleModelLoader", addon.name, model_name=addon.file)
        image = graph.add("ImageUpscaleWithModel", upscale_model=upscaler, image=image)
    _saved(graph, recipe, image)
    return graph


def _loaded(graph: Graph, recipe: Recipe) -> tuple[Out, Out, Out]:
    """Model, encoders and VAE: the base's own, or of loaders beside it."""
    base = recipe.base
    if base.kind == "checkpoint":
        loader = "unCLIPCheckpointLoader" if recipe.unclip else "CheckpointLoaderSimple"
        model = graph.add(loader, base.name, ckpt_name=base.file)
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
    for addon in addons_of(recipe, "lora", "hypernetwork"):
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


def _moving(graph: Graph, recipe: Recipe, model: Out) -> Out:
    """The model behind motion modules, by the nodes of ComfyUI-AnimateDiff-Evolved."""
    for addon in addons_of(recipe, "motion_module"):
        model = graph.add(
            "ADE_AnimateDiffLoaderGen1",
            addon.name,
            model=model,
            model_name=addon.file,
            beta_schedule="autoselect",
        )
    return model


def _latent(graph: Graph, recipe: Recipe, vae: Out) -> Out:
    settings, row = recipe.settings, node_row(recipe.latent)
    size = {"width": settings.width, "height": settings.height, "length": settings.length}
    size["batch_size"] = settings.batch
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
