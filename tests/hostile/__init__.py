"""An attack: its parts, its judgement, and a short one."""
