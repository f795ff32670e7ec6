"""How long hypothesis may look: by examples, not by the clock of a busy machine."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "billhook", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("billhook")
