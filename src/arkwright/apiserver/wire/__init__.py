"""The API over HTTP. In: ASGI requests. Out: objects, lists, tables, streams of events, and Status documents.

routes           a request to a verb, and what came of it to an answer
  reading          lists, single objects, watches
  about            what is said of the API itself ─▶ discovery, openapi, swagger
  access           who asks, and who may do what
  reviews          what clients ask before they do something: who am I, may I
  metrics          what pods and the node use now
  views            a kind whose objects are those of another, with other names
  podlogs          what a pod has said; what cannot be asked of a process
  requests         paths and queries: what is asked for, and how to do it
  calls, bodies    what a request carries, in JSON, YAML or protobuf; what an answer does
  scales, tables   other views of an object ─▶ cells, forms
"""

from arkwright.apiserver.wire.access import Access
from arkwright.apiserver.wire.routes import Api, Surroundings

__all__ = ["Access", "Api", "Surroundings"]
