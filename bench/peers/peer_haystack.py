"""Haystack's indexing pipeline: its PDF converter, 375 words (some 500 tokens) with 38 overlap, its Postgres store."""

from dataclasses import replace

from haystack import Document, Pipeline, component
from haystack.components.converters import PyPDFToDocument
from haystack.components.embedders import OpenAIDocumentEmbedder
from haystack.components.preprocessors import DocumentSplitter
from haystack.components.writers import DocumentWriter
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack.document_stores.types import DuplicatePolicy
from haystack.utils import Secret
from haystack_integrations.document_stores.pgvector import PgvectorDocumentStore

WIDTH = 384


def prepared(embedder, database):
    """Return what takes in a file, or a list of texts, and returns its number of chunks."""
    store = _postgres(database) if database else InMemoryDocumentStore()
    of_files, of_texts = _pipeline(embedder), _pipeline(embedder)
    writer = DocumentWriter(store, policy=DuplicatePolicy.OVERWRITE)
    of_files.add_component("reader", PyPDFToDocument())
    of_files.add_component("without_nul", WithoutNul())
    of_files.connect("reader.documents", "without_nul.documents")
    of_files.connect("without_nul.documents", "splitter.documents")

    def ingest(what):
        if isinstance(what, list):
            made = of_texts.run({"splitter": {"documents": [Document(content=text) for text in what]}})
        else:
            made = of_files.run({"reader": {"sources": [what]}})
        # Its store fails where there is nothing to write, as of a page that is a picture.
        documents = made["embedder"]["documents"]
        return writer.run(documents)["documents_written"] if documents else 0

    return ingest


@component
class WithoutNul:
    """Drops the NUL characters of PDF texts, at which its store for Postgres fails."""

    @component.output_types(documents=list[Document])
    def run(self, documents: list[Document]):
        return {"documents": [replace(one, content=(one.content or "").replace("\0", "")) for one in documents]}


def _pipeline(embedder):
    asker = OpenAIDocumentEmbedder(
        api_key=Secret.from_token("none"), model="fake-384", api_base_url=embedder, batch_size=100, progress_bar=False
    )
    pipeline = Pipeline()
    pipeline.add_component("splitter", DocumentSplitter(split_by="word", split_length=375, split_overlap=38))
    pipeline.add_component("embedder", asker)
    pipeline.connect("splitter.documents", "embedder.documents")
    return pipeline


def _postgres(database):
    return PgvectorDocumentStore(
        connection_string=Secret.from_token(database),
        table_name="haystack",
        embedding_dimension=WIDTH,
    )
