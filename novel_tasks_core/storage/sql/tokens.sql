-- name: add
-- Stores a new token by the hash of its secret.
insert into api_tokens (id, sha256, owner, scopes, name, expires_at) values ($1, $2, $3, $4, $5, $6)
returning id, sha256, owner, scopes, name, created_at, expires_at, revoked_at

-- name: add_first
-- Stores a new token if there is none that has not been revoked.
insert into api_tokens (id, sha256, owner, scopes, name, expires_at)
select $1, $2, $3, $4, $5, $6 where not exists (select 1 from api_tokens where revoked_at is null)
returning id, sha256, owner, scopes, name, created_at, expires_at, revoked_at

-- name: find
-- Finds the token whose secret has this hash, if it is good now.
select id, sha256, owner, scopes, name, created_at, expires_at, revoked_at from api_tokens
where sha256 = $1 and revoked_at is null and (expires_at is null or expires_at > now())

-- name: find_by_id
-- Finds a token by its id, if it is good now.
select id, sha256, owner, scopes, name, created_at, expires_at, revoked_at from api_tokens
where id = $1 and revoked_at is null and (expires_at is null or expires_at > now())

-- name: everything
-- Lists all tokens, oldest first, those that are good no more too.
select id, sha256, owner, scopes, name, created_at, expires_at, revoked_at from api_tokens order by created_at, id

-- name: revoke
-- Revokes a token; one that was revoked before keeps its time.
update api_tokens set revoked_at = coalesce(revoked_at, now()) where id = $1
returning id, sha256, owner, scopes, name, created_at, expires_at, revoked_at

-- name: exist
-- Says whether anybody was given a token that has not been revoked.
select exists (select 1 from api_tokens where revoked_at is null)
