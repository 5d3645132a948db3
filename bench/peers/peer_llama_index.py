"""LlamaIndex's IngestionPipeline: its PDF reader, sentences of 500 tokens with 50 overlap, its Postgres store."""

from urllib.parse import urlsplit

from llama_index.core import Document, SimpleDirectoryReader
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.vector_stores import SimpleVectorStore
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.vector_stores.postgres import PGVectorStore

WIDTH = 384


def prepared(embedder, database):
    """Return what takes in a file, or a list of texts, and returns its number of chunks."""
    pipeline = IngestionPipeline(
        transformations=[
            SentenceSplitter(chunk_size=500, chunk_overlap=50),
            OpenAIEmbedding(model_name="fake-384", api_base=embedder, api_key="none", embed_batch_size=100),
        ],
        vector_store=_postgres(database) if database else SimpleVectorStore(),
        disable_cache=True,
    )

    def ingest(what):
        if isinstance(what, list):
            documents = [Document(text=text) for text in what]
        else:
            documents = SimpleDirectoryReader(input_files=[what]).load_data()
            for document in documents:
                # Its reader keeps NUL characters, at which its store for Postgres fails.
                document.set_content(document.get_content().replace("\0", ""))
        return len(pipeline.run(documents=documents))

    return ingest


def _postgres(database):
    parts = urlsplit(database)
    return PGVectorStore.from_params(
        host=parts.hostname,
        port=str(parts.port),
        user=parts.username,
        password=parts.password,
        database=parts.path.lstrip("/"),
        table_name="llama_index",
        embed_dim=WIDTH,
    )
