"""Where versions are kept and searched: this machine's files (FAISS and bm25s), or Milvus for many servers."""
