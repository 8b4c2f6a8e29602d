"""What prints figures. Whatever is asked for here is asked of the endpoint, and not kept."""

import os

os.environ.setdefault("VOICESTREAM_CACHE", "off")
