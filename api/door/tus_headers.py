"""The headers of the tus protocol, as browsers must be told of them."""

REQUEST_HEADERS = ("Tus-Resumable", "Upload-Checksum", "Upload-Length", "Upload-Metadata", "Upload-Offset")
ANSWER_HEADERS = (
    "Job-Id",
    "Job-Location",
    "Tus-Checksum-Algorithm",
    "Tus-Extension",
    "Tus-Max-Size",
    "Tus-Resumable",
    "Tus-Version",
    "Upload-Expires",
    "Upload-Length",
    "Upload-Metadata",
    "Upload-Offset",
)
