import pyarrow as pa

FUNCTIONS = {"zh_terms":"", "comment_needs":"", "comment_sentiment":"", "is_question":"", "mask_personal":""}
def register(c, folder=None):
    c.create_function("zh_terms", lambda x: pa.array([list((v.as_py() or "").split()) for v in x], pa.list_(pa.string())), ["VARCHAR"], "VARCHAR[]", type="arrow")
    c.create_function("comment_needs", lambda x: pa.array([["praise"] if v.as_py() else [] for v in x], pa.list_(pa.string())), ["VARCHAR"], "VARCHAR[]", type="arrow")
    c.create_function("comment_sentiment", lambda x: pa.array([0.5 for v in x]), ["VARCHAR"], "DOUBLE", type="arrow")
    c.create_function("is_question", lambda x: pa.array([False for v in x]), ["VARCHAR"], "BOOLEAN", type="arrow")
    c.create_function("mask_personal", lambda x: x, ["VARCHAR"], "VARCHAR", type="arrow")
def fingerprint(folder=None): return "x"
def class_names(folder=None): return {}
