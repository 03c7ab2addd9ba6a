-- A store as the first released layout has it.
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE facts (name text primary key, value integer not null) without rowid;
INSERT INTO "facts" VALUES('floor',0);
CREATE TABLE log (
    version integer primary key, resource text not null, namespace text not null, name text not null,
    previous integer not null, is_deletion integer not null, body blob not null
);
INSERT INTO "log" VALUES(1,'configmaps','default','one',0,0,X'7B317D');
INSERT INTO "log" VALUES(2,'configmaps','default','one',1,0,X'7B327D');
INSERT INTO "log" VALUES(3,'configmaps','default','one',2,0,X'7B337D');
INSERT INTO "log" VALUES(4,'configmaps','default','two',0,0,X'7B347D');
INSERT INTO "log" VALUES(5,'configmaps','default','two',4,1,X'7B357D');
CREATE INDEX log_previous on log (previous) where previous > 0;
COMMIT;
