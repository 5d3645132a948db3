import { lazy } from "react";
import { Route, Routes } from "react-router";
import Documents from "./Documents";

const DocumentPage = lazy(() => import("./document/DocumentPage"));
const SearchPage = lazy(() => import("./search/SearchPage"));
const TrainingPage = lazy(() => import("./training/TrainingPage"));
const Unanswered = lazy(() => import("./Unanswered"));
const Work = lazy(() => import("./Work"));
const NotFound = lazy(() => import("../NotFound"));

/** What is known: documents, what was told besides, what is found in them, and what is missing. */
export default function Knowledge() {
  return (
    <Routes>
      <Route index element={<Documents />} />
      <Route path="documents" element={<Documents />} />
      <Route path="documents/:id" element={<DocumentPage />} />
      <Route path="search" element={<SearchPage />} />
      <Route path="training/*" element={<TrainingPage />} />
      <Route path="unanswered" element={<Unanswered />} />
      <Route path="work" element={<Work />} />
      <Route path="*" element={<NotFound />} />
    </Routes>
  );
}
