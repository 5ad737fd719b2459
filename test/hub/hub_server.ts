// A Hub on 127.0.0.1: HEAD with X-Repo-Commit, ETag and X-Linked-Size, redirects to "storage", GET with Range.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface HubFile {
  body: Buffer;
  /** Kept in "storage", as large files are: HEAD redirects to another address. */
  lfs?: boolean;
}

export class HubServer {
  readonly commit = "a".repeat(40);
  readonly files = new Map<string, HubFile>();
  readonly requests: { method: string; url: string; range: string | undefined; authorization: string | undefined }[] =
    [];
  /** Bytes after which a GET breaks off, once for each entry. */
  readonly breaks: number[] = [];
  readonly private_repositories = new Set<string>();
  /** Milliseconds before each answer. */
  delay = 0;
  private readonly server = createServer((request, response) => {
    setTimeout(() => this.answer(request, response), this.delay);
  });

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  add(path: string, body: Buffer | string, lfs = false): void {
    this.files.set(path, { body: Buffer.from(body), lfs });
  }

  private answer(request: IncomingMessage, response: ServerResponse): unknown {
    const { method = "GET", url = "/" } = request;
    const { range, authorization } = request.headers;
    this.requests.push({ method, url, range, authorization });
    const refuse = (status: number, code: string, headers = {}) => {
      response.writeHead(status, { "X-Error-Code": code, ...headers });
      return response.end();
    };
    if (url.startsWith("/storage/"))
      return this.send(this.files.get(url.slice("/storage/".length))!, request, response);
    const [, repository, revision, path] = url.match(/^\/(.+?)\/resolve\/([^/]+)\/(.+)$/) ?? [];
    if (!repository || repository === "org/down") return refuse(503, "");
    if (repository === "org/missing") return refuse(401, "RepoNotFound");
    if (repository === "org/gated") return refuse(403, "GatedRepo");
    if (repository === "org/renamed") {
      response.writeHead(307, { Location: url.replace("org/renamed", "org/model") });
      return response.end();
    }
    if (this.private_repositories.has(repository) && authorization !== "Bearer secret")
      return refuse(401, "RepoNotFound");
    if (revision !== "main" && revision !== this.commit) return refuse(404, "RevisionNotFound");
    const file = this.files.get(decodeURIComponent(path!));
    const commit = { "X-Repo-Commit": this.commit };
    if (!file) return refuse(404, "EntryNotFound", commit);
    const etag = `"${createHash("sha1").update(file.body).digest("hex")}"`;
    if (!file.lfs) return this.send(file, request, response, { ...commit, ETag: etag });
    const linked = { "X-Linked-Etag": etag, "X-Linked-Size": String(file.body.length) };
    response.writeHead(302, { ...commit, ...linked, Location: `http://${request.headers.host}/storage/${path}` });
    return response.end();
  }

  private send(file: HubFile, request: IncomingMessage, response: ServerResponse, headers = {}): unknown {
    const { body } = file;
    const [, from, to] = request.headers.range?.match(/^bytes=(\d+)-(\d*)$/) ?? [];
    const start = Number(from ?? 0);
    const part = body.subarray(start, to ? Number(to) + 1 : undefined);
    const etag = `"${createHash("sha1").update(body).digest("hex")}"`;
    response.writeHead(from === undefined ? 200 : 206, {
      ETag: etag,
      "Content-Length": part.length,
      ...(from !== undefined && { "Content-Range": `bytes ${start}-${start + part.length - 1}/${body.length}` }),
      ...headers,
    });
    if (request.method === "HEAD") return response.end();
    const limit = part.length > 1 ? this.breaks.shift() : undefined;
    if (limit === undefined) return response.end(part);
    return response.write(part.subarray(0, limit), () => setTimeout(() => response.destroy(), 30));
  }
}
