"""Nodes for what looks at a picture of the user's choice: ControlNets, style models, IP-Adapters, unCLIP.

The picture is one that ComfyUI ships as an example, in a node that says what it is for.
"""

from search.stack_nodes import Graph, Out, addons_of
from search.stack_recipe import Ingredient, Recipe

__all__ = ["controlled", "looked_at", "seen", "styled"]

_CONTROLS = ("controlnet", "t2i_adapter", "control_lora")


def controlled(graph: Graph, recipe: Recipe, positive: Out, negative: Out, vae: Out) -> tuple[Out, Out]:
    """Both prompts behind the ControlNets and their kin."""
    for addon in addons_of(recipe, *_CONTROLS):
        loader = graph.add("ControlNetLoader", addon.name, control_net_name=addon.file)
        positive = graph.add(
            "ControlNetApplyAdvanced",
            positive=positive,
            negative=negative,
            control_net=loader,
            image=_picture(graph, addon.name),
            vae=vae,
            strength=addon.weight,
            start_percent=0.0,
            end_percent=1.0,
        )
        negative = Out(positive.node, 1)
    return positive, negative


def styled(graph: Graph, recipe: Recipe, positive: Out) -> Out:
    """The prompt behind style models, such as FLUX.1 Redux."""
    for addon in addons_of(recipe, "flux_redux"):
        loader = graph.add("StyleModelLoader", addon.name, style_model_name=addon.file)
        positive = graph.add(
            "StyleModelApply",
            conditioning=positive,
            style_model=loader,
            clip_vision_output=_encoded(graph, _tower(graph, addon), addon.name),
            strength=addon.weight,
            strength_type="multiply",
        )
    return positive


def seen(graph: Graph, recipe: Recipe, model: Out) -> Out:
    """The model behind IP-Adapters, by the nodes of ComfyUI_IPAdapter_plus."""
    for addon in addons_of(recipe, "ip_adapter"):
        loader = graph.add("IPAdapterModelLoader", addon.name, ipadapter_file=addon.file)
        model = graph.add(
            "IPAdapterAdvanced",
            model=model,
            ipadapter=loader,
            image=_picture(graph, addon.name),
            clip_vision=_tower(graph, addon),
            weight=addon.weight,
            weight_type="linear",
            combine_embeds="concat",
            start_at=0.0,
            end_at=1.0,
            embeds_scaling="V only",
        )
    return model


def looked_at(graph: Graph, recipe: Recipe, positive: Out, base: Out) -> Out:
    """The prompt behind a picture that an unCLIP base draws anew; its image encoder is its fourth output."""
    return graph.add(
        "unCLIPConditioning",
        conditioning=positive,
        clip_vision_output=_encoded(graph, Out(base.node, 3), recipe.base.name),
        strength=1.0,
        noise_augmentation=0.0,
    )


def _picture(graph: Graph, name: str) -> Out:
    return graph.add("LoadImage", f"Picture for {name}", image="example.png", upload="image")


def _tower(graph: Graph, addon: Ingredient) -> Out:
    assert addon.tower is not None, addon.name
    return graph.once("CLIPVisionLoader", addon.tower.name, clip_name=addon.tower.file)


def _encoded(graph: Graph, tower: Out, name: str) -> Out:
    return graph.add("CLIPVisionEncode", clip_vision=tower, image=_picture(graph, name), crop="center")
