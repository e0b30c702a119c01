"""The storm: its plan, its judgement, and a short one."""
