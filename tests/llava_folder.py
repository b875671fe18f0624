"""The embedded model as a folder that transformers loads: the same tower, projector and words."""

from __future__ import annotations

import json
from pathlib import Path

from assistant.vlm.llava import (
    CHAT_TEMPLATE,
    IMAGE_TOKEN,
    llama_from_gguf,
    tokenizer_from_gguf,
    vision_tower,
)
from assistant.vlm.mmproj import IMAGE_MEAN, IMAGE_SIZE, IMAGE_STD, load_projector


def write_llava(base: Path, projector: Path, gguf: Path, target: Path) -> None:
    """Write model and processor in transformers' layout into the folder ``target``: 630 MB."""
    import torch
    from transformers import (
        CLIPImageProcessor,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
    )

    language, tower = llama_from_gguf(gguf), vision_tower(base)
    tokenizer = tokenizer_from_gguf(gguf)
    config = LlavaConfig(
        vision_config=tower.config,
        text_config=language.config,
        image_token_index=tokenizer.convert_tokens_to_ids(IMAGE_TOKEN),
        image_seq_length=256,
        vision_feature_layer=-2,
        vision_feature_select_strategy="default",
        projector_hidden_act="gelu",
        tie_word_embeddings=language.config.tie_word_embeddings,
    )
    model = LlavaForConditionalGeneration(config)
    model.model.language_model.load_state_dict(language.model.state_dict())
    model.lm_head.load_state_dict(language.lm_head.state_dict())
    model.model.vision_tower.load_state_dict(tower.state_dict())
    model.model.multi_modal_projector.load_state_dict(
        {
            name: torch.from_numpy(array)
            for name, array in load_projector(projector, tower.config.hidden_size).items()
        }
    )
    model.tie_weights()
    model.generation_config.eos_token_id = tokenizer.convert_tokens_to_ids("<|im_end|>")
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    target.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(target)
    side = {"height": IMAGE_SIZE, "width": IMAGE_SIZE}
    processor = LlavaProcessor(
        image_processor=CLIPImageProcessor(
            size=side, crop_size=side, image_mean=list(IMAGE_MEAN), image_std=list(IMAGE_STD)
        ),
        tokenizer=tokenizer,
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        image_token=IMAGE_TOKEN,
        chat_template=CHAT_TEMPLATE,
    )
    processor.save_pretrained(target)
    (target / "whyfake.json").write_text(json.dumps({"language_model": gguf.name}))
