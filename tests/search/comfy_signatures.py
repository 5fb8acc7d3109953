"""What ComfyUI's nodes take and give, written down from its own sources: the judge of the graphs we make.

An input is the type of a link, a Python type of a value, or the values that it takes.
"""

from typing import Any

ONE = ["stable_diffusion", "stable_cascade", "sd3", "stable_audio", "mochi", "ltxv", "pixart", "cosmos"]
ONE += ["lumina2", "wan", "hidream", "chroma", "ace", "omnigen2", "qwen_image", "hunyuan_image", "flux2"]
ONE += ["ovis", "longcat_image"]
TWO = ["sdxl", "sd3", "flux", "hunyuan_video", "hidream", "hunyuan_image", "hunyuan_video_15", "kandinsky5"]
TWO += ["kandinsky5_image", "ltxv", "newbie", "ace"]
SAMPLERS = ["euler", "euler_cfg_pp", "euler_ancestral", "heun", "heunpp2", "dpm_2", "dpm_2_ancestral", "lms"]
SAMPLERS += ["dpm_fast", "dpm_adaptive", "dpmpp_2s_ancestral", "dpmpp_sde", "dpmpp_sde_gpu", "dpmpp_2m"]
SAMPLERS += ["dpmpp_2m_sde", "dpmpp_2m_sde_gpu", "dpmpp_3m_sde", "dpmpp_3m_sde_gpu", "ddpm", "lcm", "ipndm"]
SAMPLERS += ["deis", "res_multistep", "gradient_estimation", "ddim", "uni_pc", "uni_pc_bh2"]
SCHEDULERS = ["simple", "sgm_uniform", "karras", "exponential", "ddim_uniform", "beta", "normal"]
SCHEDULERS += ["linear_quadratic", "kl_optimal"]
WEIGHTINGS = ["linear", "ease in", "ease out", "ease in-out", "reverse in-out", "weak input", "weak output"]
WEIGHTINGS += ["weak middle", "strong middle", "style transfer", "composition", "strong style transfer"]
SCHEDULES_OF_MOTION = ["autoselect", "use existing", "sqrt_linear (AnimateDiff)", "linear (AnimateDiff-SDXL)"]
DEVICE = ["default", "cpu"]
NAMES = [f"clip_name{n}" for n in (1, 2, 3, 4)]
SIZE: dict[str, Any] = {"width": int, "height": int, "batch_size": int}
FILM = SIZE | {"length": int}

NODES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "CheckpointLoaderSimple": ({"ckpt_name": str}, ["MODEL", "CLIP", "VAE"]),
    "UNETLoader": (
        {"unet_name": str, "weight_dtype": ["default", "fp8_e4m3fn", "fp8_e4m3fn_fast", "fp8_e5m2"]},
        ["MODEL"],
    ),
    "UnetLoaderGGUF": ({"unet_name": str}, ["MODEL"]),
    "CLIPLoader": ({"clip_name": str, "type": ONE, "device": DEVICE}, ["CLIP"]),
    "CLIPLoaderGGUF": ({"clip_name": str, "type": ONE}, ["CLIP"]),
    "DualCLIPLoader": ({**dict.fromkeys(NAMES[:2], str), "type": TWO, "device": DEVICE}, ["CLIP"]),
    "DualCLIPLoaderGGUF": ({**dict.fromkeys(NAMES[:2], str), "type": TWO}, ["CLIP"]),
    "TripleCLIPLoader": (dict.fromkeys(NAMES[:3], str), ["CLIP"]),
    "TripleCLIPLoaderGGUF": (dict.fromkeys(NAMES[:3], str), ["CLIP"]),
    "QuadrupleCLIPLoader": (dict.fromkeys(NAMES, str), ["CLIP"]),
    "QuadrupleCLIPLoaderGGUF": (dict.fromkeys(NAMES, str), ["CLIP"]),
    "VAELoader": ({"vae_name": str}, ["VAE"]),
    "LoraLoader": (
        {"model": "MODEL", "clip": "CLIP", "lora_name": str, "strength_model": float, "strength_clip": float},
        ["MODEL", "CLIP"],
    ),
    "LoraLoaderModelOnly": ({"model": "MODEL", "lora_name": str, "strength_model": float}, ["MODEL"]),
    "HypernetworkLoader": ({"model": "MODEL", "hypernetwork_name": str, "strength": float}, ["MODEL"]),
    "CLIPTextEncode": ({"clip": "CLIP", "text": str}, ["CONDITIONING"]),
    "FluxGuidance": ({"conditioning": "CONDITIONING", "guidance": float}, ["CONDITIONING"]),
    "ControlNetLoader": ({"control_net_name": str}, ["CONTROL_NET"]),
    "ControlNetApplyAdvanced": (
        {
            "positive": "CONDITIONING",
            "negative": "CONDITIONING",
            "control_net": "CONTROL_NET",
            "image": "IMAGE",
            "vae": "VAE",
            "strength": float,
            "start_percent": float,
            "end_percent": float,
        },
        ["CONDITIONING", "CONDITIONING"],
    ),
    "unCLIPCheckpointLoader": ({"ckpt_name": str}, ["MODEL", "CLIP", "VAE", "CLIP_VISION"]),
    "unCLIPConditioning": (
        {
            "conditioning": "CONDITIONING",
            "clip_vision_output": "CLIP_VISION_OUTPUT",
            "strength": float,
            "noise_augmentation": float,
        },
        ["CONDITIONING"],
    ),
    "CLIPVisionLoader": ({"clip_name": str}, ["CLIP_VISION"]),
    "CLIPVisionEncode": (
        {"clip_vision": "CLIP_VISION", "image": "IMAGE", "crop": ["center", "none"]},
        ["CLIP_VISION_OUTPUT"],
    ),
    "StyleModelLoader": ({"style_model_name": str}, ["STYLE_MODEL"]),
    "StyleModelApply": (
        {
            "conditioning": "CONDITIONING",
            "style_model": "STYLE_MODEL",
            "clip_vision_output": "CLIP_VISION_OUTPUT",
            "strength": float,
            "strength_type": ["multiply", "attn_bias"],
        },
        ["CONDITIONING"],
    ),
    "IPAdapterModelLoader": ({"ipadapter_file": str}, ["IPADAPTER"]),
    "IPAdapterAdvanced": (
        {
            "model": "MODEL",
            "ipadapter": "IPADAPTER",
            "image": "IMAGE",
            "clip_vision": "CLIP_VISION",
            "weight": float,
            "weight_type": WEIGHTINGS,
            "combine_embeds": ["concat", "add", "subtract", "average", "norm average"],
            "start_at": float,
            "end_at": float,
            "embeds_scaling": ["V only", "K+V", "K+V w/ C penalty", "K+mean(V) w/ C penalty"],
        },
        ["MODEL"],
    ),
    "ADE_AnimateDiffLoaderGen1": (
        {"model": "MODEL", "model_name": str, "beta_schedule": SCHEDULES_OF_MOTION},
        ["MODEL"],
    ),
    "LoadImage": ({"image": str}, ["IMAGE", "MASK"]),
    "EmptyLatentImage": (SIZE, ["LATENT"]),
    "EmptySD3LatentImage": (SIZE, ["LATENT"]),
    "EmptyFlux2LatentImage": (SIZE, ["LATENT"]),
    "EmptyHunyuanImageLatent": (SIZE, ["LATENT"]),
    "EmptyHunyuanLatentVideo": (FILM, ["LATENT"]),
    "EmptyMochiLatentVideo": (FILM, ["LATENT"]),
    "Wan22ImageToVideoLatent": (FILM | {"vae": "VAE"}, ["LATENT"]),
    "KSampler": (
        {
            "model": "MODEL",
            "positive": "CONDITIONING",
            "negative": "CONDITIONING",
            "latent_image": "LATENT",
            "seed": int,
            "steps": int,
            "cfg": float,
            "sampler_name": SAMPLERS,
            "scheduler": SCHEDULERS,
            "denoise": float,
        },
        ["LATENT"],
    ),
    "VAEDecode": ({"samples": "LATENT", "vae": "VAE"}, ["IMAGE"]),
    "UpscaleModelLoader": ({"model_name": str}, ["UPSCALE_MODEL"]),
    "ImageUpscaleWithModel": ({"upscale_model": "UPSCALE_MODEL", "image": "IMAGE"}, ["IMAGE"]),
    "SaveImage": ({"images": "IMAGE", "filename_prefix": str}, []),
    "SaveAnimatedWEBP": (
        {
            "images": "IMAGE",
            "filename_prefix": str,
            "fps": float,
            "lossless": bool,
            "quality": int,
            "method": ["default", "fastest", "slowest"],
        },
        [],
    ),
}
"""Node -> its inputs by name, and the types of its outputs (nodes.py, comfy_extras, ComfyUI-GGUF,
IPAdapterPlus.py of ComfyUI_IPAdapter_plus, nodes_gen1.py of ComfyUI-AnimateDiff-Evolved)."""


def faults_of(prompt: dict[str, Any]) -> list[str]:
    """What ComfyUI would refuse of a graph as its server runs it; empty where it runs."""
    faults = []
    for id_, node in prompt.items():
        if node["class_type"] not in NODES:
            faults.append(f"{id_}: no node {node['class_type']}")
            continue
        wanted = NODES[node["class_type"]][0]
        if wanted.keys() != node["inputs"].keys():
            faults.append(f"{id_} {node['class_type']}: {sorted(wanted.keys() ^ node['inputs'].keys())}")
        faults += [
            f"{id_} {node['class_type']}.{name}: {fault}"
            for name, value in node["inputs"].items()
            if name in wanted and (fault := fault_of(prompt, wanted[name], value))
        ]
    return faults


def fault_of(prompt: dict[str, Any], wanted: Any, value: Any) -> str | None:
    if isinstance(wanted, str):
        if not isinstance(value, list) or value[0] not in prompt:
            return f"{value} is no link to a node"
        outputs = NODES[prompt[value[0]]["class_type"]][1]
        given = outputs[value[1]] if value[1] < len(outputs) else "nothing"
        return None if given == wanted else f"gets {given}, wants {wanted}"
    if isinstance(wanted, list):
        return None if value in wanted else f"{value!r} is none of its choices"
    return None if type(value) is wanted else f"{value!r} is no {wanted.__name__}"
