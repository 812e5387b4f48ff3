"""What is frozen with PyInstaller, and run with every other kind of installation: says the item that it put."""

import kstone

db = kstone.open()
db["ada"] = {"name": "Ada"}
print(db["ada"]["name"])
