import { lazy } from "react";
import { Route, Routes } from "react-router";
import AssistantList from "./AssistantList";

const AssistantPage = lazy(() => import("./AssistantPage"));
const NotFound = lazy(() => import("../NotFound"));

/** Who answers: the organisation's assistants, and one of them with a live test beside it. */
export default function Assistants() {
  return (
    <Routes>
      <Route index element={<AssistantList />} />
      <Route path=":key" element={<AssistantPage />} />
      <Route path="*" element={<NotFound />} />
    </Routes>
  );
}
