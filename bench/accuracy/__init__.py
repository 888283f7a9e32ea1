"""How well the whole job finds people: from a selfie to seconds of footage, on a labelled set made at run time."""
