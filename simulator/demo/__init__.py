"""The invented site of `loquet demo`: its people and their days, its folder and parts, its page of hands and eyes."""
