"""What is handed on: a remediated folder's papers, their verification, the bill of materials, bundles taken in. Torch-free."""
