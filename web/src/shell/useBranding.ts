import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { api, ok, type Schemas } from "../api/client";
import { brandVariables } from "./branding";

/** Returns one's own organisation, once it is known, and gives buttons and links its colour while it is shown. */
export function useBranding(isIn: boolean): Schemas["TenantView"] | undefined {
  const { data } = useQuery({ queryKey: ["tenant"], enabled: isIn, staleTime: 60_000, queryFn: () => ok(api.GET("/api/tenant")) });
  const colour = data?.brand_colors?.primary;
  useEffect(() => {
    const { style } = document.documentElement;
    const variables = Object.entries(brandVariables(colour));
    for (const [name, value] of variables) style.setProperty(name, value);
    return () => variables.forEach(([name]) => style.removeProperty(name));
  }, [colour]);
  return data;
}
