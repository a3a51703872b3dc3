from bluebear_magic.provenance.receipts import ReceiptStore


def test_a_check_is_remembered_by_the_next_process(tmp_path):
    ReceiptStore(tmp_path / "r").put("code", "schema", "policy", "whole")
    assert ReceiptStore(tmp_path / "r").get("code", "schema", "policy") == "whole"


def test_any_difference_makes_it_unknown(tmp_path):
    store = ReceiptStore(tmp_path)
    store.put("code", "schema", "policy", "whole")
    assert store.get("code ", "schema", "policy") is None
    assert store.get("code", "other", "policy") is None
    assert store.get("code", "schema", "other") is None


def test_a_folder_that_cannot_be_written_costs_only_memory(tmp_path):
    (tmp_path / "file").write_text("")
    store = ReceiptStore(tmp_path / "file" / "r")
    store.put("code", "schema", "policy", "whole")
    assert store.get("code", "schema", "policy") == "whole"


def test_a_broken_receipt_counts_as_none(tmp_path):
    ReceiptStore(tmp_path).put("code", "schema", "policy", "whole")
    for file in tmp_path.iterdir():
        file.write_text("{")
    assert ReceiptStore(tmp_path).get("code", "schema", "policy") is None
