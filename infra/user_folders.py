"""Where this user's files are kept when nobody says otherwise."""

import platformdirs

_APP = "spotclip"
DATA_DIR = platformdirs.user_data_path(_APP)
CACHE_DIR = platformdirs.user_cache_path(_APP)
