import { Button, ColorInput, FileButton, Group, Image, Stack, Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { given, useAct } from "../../api/acts";
import { api, ok, type Schemas } from "../../api/client";
import { ErrorNote } from "../../components/ErrorNote";
import { Loading } from "../../components/Loading";
import { Panel } from "../../components/Panel";
import { useMessages } from "../../i18n";

export const TENANT = ["tenant"];
const MAX_LOGO_CHARS = 2048;

export function useTenant() {
  return useQuery({ queryKey: TENANT, queryFn: () => ok(api.GET("/api/tenant")) });
}

export function useTenantChange() {
  return useAct(
    (fields: Partial<Schemas["OwnChange"]>) => ok(api.PATCH("/api/tenant", { body: given<Schemas["OwnChange"]>(fields) })),
    TENANT,
    ["me"],
    ["usage"],
  );
}

/** How the organisation's pages and its widget look: name, colour, logo. */
export function Branding() {
  const tenant = useTenant();
  if (tenant.error) return <ErrorNote error={tenant.error} onRetry={() => void tenant.refetch()} />;
  return tenant.data ? <Look tenant={tenant.data} /> : <Loading />;
}

function Look({ tenant }: { tenant: Schemas["TenantView"] }) {
  const t = useMessages();
  const [name, setName] = useState(tenant.organization_name);
  const [color, setColor] = useState(tenant.brand_colors?.primary ?? "");
  const [logo, setLogo] = useState(tenant.custom_logo ?? "");
  const [fault, setFault] = useState("");
  const save = useTenantChange();
  const read = (file: File | null) => {
    if (!file) return;
    const reader = new FileReader();
    reader.onload = () => {
      const found = String(reader.result);
      setFault(found.length > MAX_LOGO_CHARS ? t("settings.logoTooLarge") : "");
      if (found.length <= MAX_LOGO_CHARS) setLogo(found);
    };
    reader.readAsDataURL(file);
  };
  const submit = () => {
    const { primary: _, ...others } = tenant.brand_colors ?? {};
    const colors = color ? { ...others, primary: color } : others;
    save.mutate({ organization_name: name, custom_logo: logo || null, brand_colors: Object.keys(colors).length ? colors : null });
  };
  return (
    <Panel title={t("settings.branding")} text={t("settings.brandingText")}>
      <form onSubmit={(event) => (event.preventDefault(), submit())}>
        <Stack maw={420}>
          <ErrorNote error={save.error} />
          <TextInput label={t("settings.organisation")} required maxLength={200} value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <ColorInput
            label={t("settings.color")}
            description={t("settings.colorHint")}
            value={color}
            onChange={setColor}
            format="hex"
            withEyeDropper={false}
            swatches={["#0f6b63", "#1b5fa8", "#7a3fa3", "#b3261e", "#a85b00", "#384047"]}
          />
          <TextInput label={t("settings.logo")} description={t("settings.logoHint")} value={logo} error={fault} onChange={(event) => setLogo(event.currentTarget.value)} />
          <Group>
            <FileButton onChange={read} accept="image/png,image/jpeg,image/webp">
              {(props) => (
                <Button {...props} variant="default" size="xs">
                  {t("settings.chooseLogo")}
                </Button>
              )}
            </FileButton>
            {/* The policy lets no picture come from elsewhere; a logo of another site shows in the widget's page alone. */}
            {logo.startsWith("data:image/") && <Image src={logo} alt={t("settings.logo")} h={32} w="auto" />}
          </Group>
          <Group>
            <Button type="submit" loading={save.isPending}>
              {t("common.save")}
            </Button>
            <Text role="status" fz="sm" c="dimmed">
              {save.isSuccess ? t("settings.saved") : ""}
            </Text>
          </Group>
        </Stack>
      </form>
    </Panel>
  );
}
