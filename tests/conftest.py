"""Settings of all tests."""

import hypothesis

# A busy machine is no failure.
hypothesis.settings.register_profile("gbscape", deadline=None)
hypothesis.settings.load_profile("gbscape")
